"""What a service waits for, when it is ready, and whether it is well."""

from supervisor.config.kinds import (
    Duration,
    Flag,
    Key,
    Section,
    Shape,
    Whole,
)

EXEC = Key(
    "exec", Shape.COMMAND, "A command that exits with 0 when the service is well.", also=("test", "command", "cmd")
)

HTTP = Key(
    "http",
    Shape.HTTP,
    "A path whose GET on the assigned port answers 200 to 399; or a mapping that says what is sent and what is good.",
    also=("path", "http_get", "url"),
)

TCP = Key("tcp", Flag(only=True), "A connection to the assigned port is accepted.")

READY = Section(
    keys=(
        Key("listening", Flag(only=True), "The service's own processes listen on the assigned port."),
        Key("started", Flag(only=True), "Being spawned is enough."),
        HTTP,
        TCP,
        EXEC,
        Key(
            "log",
            Shape.REGEX,
            "A regular expression that a line of the output matches.",
            also=("log_line", "ready_log_line"),
        ),
        Key("notify", Flag(only=True), "The service says so by READY=1, as sd_notify(3) does.", also=("sd_notify",)),
        Key("timeout", Duration(0.001), "How long becoming ready may take.", "30s", also=("wait", "start_period")),
    ),
    words=("listening", "started"),
    one_of=("listening", "started", "http", "tcp", "exec", "log", "notify"),
)

HEALTHCHECK = Section(
    keys=(
        HTTP,
        TCP,
        EXEC,
        Key("interval", Duration(0.1), "Time between two checks.", "10s", also=("period", "period_seconds")),
        Key("timeout", Duration(0.001), "How long one try may take.", "2s"),
        Key(
            "retries",
            Whole(1, 1000),
            "Failed checks in a row that make the service unhealthy.",
            "3",
            also=("threshold",),
        ),
    ),
    one_of=("http", "tcp", "exec"),
    needs_one=True,
)

KEYS = (
    Key(
        "depends_on",
        Shape.DEPENDS_ON,
        "Services that must have got somewhere first: a list of names, or a mapping of names to conditions.",
        also=("depends", "requires", "after", "needs", "dependencies", "links"),
    ),
    Key(
        "profiles",
        Shape.NAMES,
        "The service is part of the stack only when one of these profiles is asked for, or it is named itself.",
        also=("profile", "groups", "group", "tags"),
    ),
    Key(
        "autostart",
        Flag(),
        "Whether `up` starts the service without being told its name.",
        "true",
        also=("auto_start", "enabled"),
    ),
    Key(
        "one_shot",
        Flag(),
        "A job that runs once: it is done, and counts as ready, when it has exited with 0.",
        "false",
        also=("oneshot", "job", "run_once", "once"),
    ),
    Key(
        "ready",
        READY,
        "When the service counts as ready; `started` for one without ports.",
        "listening",
        also=("readiness", "readiness_probe", "ready_when"),
    ),
    Key(
        "healthcheck",
        HEALTHCHECK,
        "How a running service is asked whether it is well.",
        also=("health", "health_check", "liveness_probe", "liveness"),
    ),
)
