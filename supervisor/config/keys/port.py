"""How a service gets its port, and what happens when that fails."""

from supervisor.config.forms.ending import ON_PORT_CHANGE as PORT_CHANGE_FORM
from supervisor.config.kinds import Choice, Duration, Key, Section, Signal, Whole
from supervisor.config.spec import BindMode, HandoffMode, NotifySocketKind

ON_PORT_CHANGE = Section(
    keys=(
        Key(
            "signal",
            Signal(handled=True),
            "The signal that tells the service to look up the ports of the others again.",
            more="Any but `SIGKILL` and `SIGSTOP`.",
        ),
    ),
    words=("restart", "ignore"),
    one_of=("signal",),
    needs_one=True,
)

KEYS = (
    Key(
        "handoff",
        Choice(
            ("auto", "off", "systemd"),
            (("on", "auto"), ("true", "auto"), ("false", "off"), ("no", "off")),
            of=HandoffMode,
        ),
        "How the service gets its port: portsup keeps the socket that the program binds, or passes it as descriptor 3, "
        "or does neither.",
        "auto",
        also=("socket_activation",),
    ),
    Key(
        "bind",
        Choice(("report", "strict", "move"), (("warn", "report"), ("deny", "strict")), of=BindMode),
        "What happens when the service binds another TCP port: portsup reports it, refuses it, or moves it to the "
        "assigned port.",
        "report",
    ),
    Key(
        "watchdog",
        Duration(0.1),
        "The longest time in which a running service may be silent. If it does not send WATCHDOG=1, as sd_notify(3) "
        "does, portsup restarts it.",
        also=("watchdog_sec", "watchdogsec"),
    ),
    Key(
        "notify_socket",
        Choice(("auto", "path", "abstract"), (("true", "path"), ("yes", "path")), of=NotifySocketKind),
        "The socket to which the service can report its state. `auto`: a path, if `ready` or `watchdog` need it.",
        "auto",
        also=("notify_access",),
    ),
    Key(
        "rotate_after",
        Whole(1, 1000),
        "How many starts must fail on one port before the service rotates to the next port of its pool.",
        "3",
        is_live=True,
    ),
    Key(
        "quarantine",
        Duration(),
        "How long portsup does not use a port that failed.",
        "60s",
        is_live=True,
    ),
    Key(
        "on_port_change",
        ON_PORT_CHANGE,
        "What happens to this service when one that it depends on has moved to another port.",
        "restart",
        also=("on_port_changed",),
        is_live=True,
        form=PORT_CHANGE_FORM,
    ),
)
