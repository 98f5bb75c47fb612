"""How a service gets its port, and what happens when that fails."""

from supervisor.config.kinds import (
    Choice,
    Duration,
    Key,
    Section,
    Signal,
    Whole,
)

ON_PORT_CHANGE = Section(
    keys=(Key("signal", Signal(handled=True), "The signal that tells the service to look up its peers' ports again."),),
    words=("restart", "ignore"),
    one_of=("signal",),
    needs_one=True,
)

KEYS = (
    Key(
        "handoff",
        Choice(("auto", "off", "systemd"), (("on", "auto"), ("true", "auto"), ("false", "off"), ("no", "off"))),
        "How the service gets its port: as a socket that portsup keeps when it binds, or as descriptor 3, or not.",
        "auto",
        also=("socket_activation",),
    ),
    Key(
        "bind",
        Choice(("report", "strict", "move"), (("warn", "report"), ("deny", "strict"))),
        "What happens when the service binds another TCP port: it is reported, refused, or moved to its own one.",
        "report",
    ),
    Key(
        "watchdog",
        Duration(0.1),
        "A running service that does not say WATCHDOG=1, as sd_notify(3) does, for so long is started again.",
        also=("watchdog_sec", "watchdogsec"),
    ),
    Key(
        "notify_socket",
        Choice(("auto", "path", "abstract"), (("true", "path"), ("yes", "path"))),
        "Which socket the service can say how it is on; `auto` is a path where `ready` or `watchdog` ask for it.",
        "auto",
        also=("notify_access",),
    ),
    Key("rotate_after", Whole(1, 1000), "Failed starts on one port before the next port of the pool is tried.", "3"),
    Key("quarantine", Duration(), "How long a port that failed is left alone.", "60s"),
    Key(
        "on_port_change",
        ON_PORT_CHANGE,
        "What happens to this service when one that it depends on moved to another port.",
        "restart",
        also=("on_port_changed",),
    ),
)
