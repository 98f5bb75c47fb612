"""The rows about what follows when a service ends, how it is stopped, and its port."""

from supervisor.config.spec import BindMode, StopTo
from supervisor.export.table.fates import (
    FIXED,
    INSIDE,
    KEPT,
    Row,
    changed,
    gives_up,
    has_handoff,
    is_always_limited,
    is_handed_over,
    lost,
    may_rest,
    restarts,
    row,
    says,
    waits_longer,
)

_NO_HOLD = "nobody holds the port while the program restarts: clients are refused, and other programs can take it"
_HELD_INSIDE = changed(
    "only where the container lets portsup see its calls; else the program binds by itself", is_handed_over
)
_MOVED = lost("the program must bind its assigned port by itself", says("move"))

ROWS: tuple[Row, ...] = (
    row(
        "restart",
        KEPT,
        INSIDE,
        KEPT,
        changed("whatever it says, Kubernetes starts a container again that has ended, also with success", may_rest),
    ),
    row("success_exit_codes", KEPT, INSIDE, lost("only 0 is a success"), INSIDE),
    row(
        "on_end.success on_end.failure",
        KEPT,
        lost("the others go on"),
        lost("the others go on, unless you use `--abort-on-container-exit`"),
        lost("the others go on"),
    ),
    row("restart_policy.delay", KEPT, INSIDE, lost("the engine decides how long it waits", restarts), INSIDE),
    row(
        "restart_policy.factor restart_policy.max_delay",
        changed("every wait is as long as the first; from systemd 254 on, use the lines in the comment", waits_longer),
        INSIDE,
        lost("the engine decides how long it waits"),
        INSIDE,
    ),
    row(
        "restart_policy.max_restarts",
        KEPT,
        INSIDE,
        lost("`always` has no limit", is_always_limited),
        changed("when portsup has given up, Kubernetes starts the container again, later each time", gives_up),
    ),
    row(
        "restart_policy.period",
        changed("all starts within this time count, also of a service that was ready in between"),
        INSIDE,
        lost("the engine begins to count anew after 10 s"),
        INSIDE,
    ),
    row(
        "stop_command.command",
        changed("what is left when it has ended gets the signal at once"),
        INSIDE,
        changed("it runs as `pre_stop`, and the signal follows"),
        INSIDE,
    ),
    row("hooks.pre_start.command hooks.post_stop.command", KEPT, INSIDE, lost("compose has no such hook"), INSIDE),
    row("hooks.post_start.command hooks.pre_stop.command", KEPT, INSIDE, KEPT, INSIDE),
    row(
        "hooks.pre_start.timeout hooks.post_start.timeout hooks.pre_stop.timeout hooks.post_stop.timeout "
        "stop_command.timeout",
        changed("the limits of the start and of the stop hold for it"),
        INSIDE,
        lost("compose has no time limit for it"),
        INSIDE,
    ),
    row("stop_signal.signal", KEPT, INSIDE, KEPT, INSIDE),
    row(
        "stop_signal.to",
        KEPT,
        INSIDE,
        changed("`group`: only the first process gets the signal", lambda spec: spec.stop_to is StopTo.GROUP),
        INSIDE,
    ),
    row("stop_grace_period", KEPT, INSIDE, KEPT, INSIDE),
    row(
        "pid_file",
        KEPT,
        INSIDE,
        lost("the container ends when the program goes to the background; run it in the foreground"),
        INSIDE,
    ),
    row(
        "handoff",
        changed(_NO_HOLD, is_handed_over),
        _HELD_INSIDE,
        lost(
            f"{_NO_HOLD}; nor does anybody pass a socket to it",
            has_handoff,
        ),
        _HELD_INSIDE,
    ),
    row(
        "bind",
        changed(
            "`strict`: only with `--system`, by SocketBindDeny; `move`: not at all",
            lambda spec: spec.bind is not BindMode.REPORT,
        ),
        INSIDE,
        _MOVED,
        INSIDE,
    ),
    row("watchdog", KEPT, INSIDE, lost("nobody hears it, so nobody misses it"), INSIDE),
    row("notify_socket", KEPT, INSIDE, lost("there is none"), INSIDE),
    row("rotate_after quarantine", FIXED, FIXED, FIXED, FIXED),
    row("on_port_change on_port_change.signal", FIXED, FIXED, FIXED, FIXED),
)
