"""What a service waits for, when it is ready, and whether it is healthy."""

from supervisor.config.forms import probes as forms
from supervisor.config.forms.program import DEPENDS_ON
from supervisor.config.forms.watch import WATCHED
from supervisor.config.kinds import Choice, Duration, Flag, Key, Section, Shape, Text, Whole
from supervisor.config.spec import CatchUp, Overlap, Schedule, Start

EXEC = Key(
    "exec",
    Shape.COMMAND,
    "A command that exits with 0 when all is well.",
    also=("test", "command", "cmd"),
    more="It has the environment of the service. When it has ended, portsup kills what it left running.",
)
HTTP = Key(
    "http",
    Shape.HTTP,
    "A path whose GET on the assigned port answers 200 to 399; or a mapping that says what to send and what to expect.",
    also=("path", "http_get", "url"),
)
TCP = Key("tcp", Flag(only=True), "The assigned port accepts a connection.")

READY = Section(
    keys=(
        Key(
            "listening",
            Flag(only=True),
            "The service's own processes listen on the assigned port.",
            more="This is the default.",
        ),
        Key("started", Flag(only=True), "The process has been spawned."),
        HTTP,
        TCP,
        EXEC,
        Key(
            "log",
            Shape.REGEX,
            "A regular expression that matches a line of the output.",
            also=("log_line", "ready_log_line"),
            more="Below is [what counts as a line](#a-line-of-the-output).",
        ),
        Key(
            "notify",
            Flag(only=True),
            "The program sends READY=1, as sd_notify(3) does.",
            also=("sd_notify",),
        ),
        Key(
            "timeout",
            Duration(0.001),
            "How long the service may take to become ready.",
            "30s",
            also=("wait", "start_period"),
            more="After that the start has failed. One HTTP or TCP probe may take 2 s and one command 10 s, or the "
            "`timeout` of `healthcheck` if that is longer.",
        ),
    ),
    words=("listening", "started"),
    one_of=("listening", "started", "http", "tcp", "exec", "log", "notify"),
)

HEALTHCHECK = Section(
    keys=(
        HTTP,
        TCP,
        EXEC,
        Key(
            "interval",
            Duration(0.1),
            "Time between two checks.",
            "10s",
            also=("period", "period_seconds"),
            more="At least `100ms`.",
        ),
        Key("timeout", Duration(0.001), "How long one check may take.", "2s"),
        Key(
            "retries",
            Whole(1, 1000),
            "How many checks in a row must fail to make the service unhealthy.",
            "3",
            also=("threshold",),
        ),
    ),
    one_of=("http", "tcp", "exec"),
    needs_one=True,
)

ACTION = Section(
    keys=(
        Key(
            "run",
            Shape.COMMAND,
            "A command to run after each change.",
            also=("command", "exec", "cmd"),
            more="It runs in the working directory of the service, with its environment, and may take ten minutes.",
        ),
    ),
    words=("restart", "reload"),
    one_of=("run",),
    needs_one=True,
)

SCHEDULE = Section(
    keys=(
        Key(
            "cron",
            Text(r"\S+( +\S+){4}|@[a-z]+", "five fields: minute, hour, day of the month, month, day of the week", 200),
            "When it runs, as in crontab(5).",
            required=True,
            also=("at", "when", "expression", "schedule", "on_calendar"),
            more="In a day that the clock is set forward or back for summer time, a run at a fixed time happens once.",
        ),
        Key(
            "timezone",
            Text(r"[A-Za-z0-9._+-]+(/[A-Za-z0-9._+-]+)*", "the name of a time zone", 100, what="time zone"),
            "The time zone of `cron`, such as `Europe/Madrid`.",
            also=("tz", "time_zone"),
            unset="that of the machine",
        ),
        Key(
            "jitter",
            Duration(),
            "The longest delay of a run, by chance, so that many machines do not run at the same moment.",
            also=("random_delay", "randomized_delay", "splay"),
            unset="none",
        ),
        Key(
            "overlap",
            Choice(tuple(Overlap), (("forbid", "skip"), ("wait", "queue")), of=Overlap),
            "What happens if the run before is not over: this one is skipped, or runs as soon as that is over.",
            "skip",
            also=("concurrency", "concurrency_policy", "concurrencypolicy"),
            more="However many wait, it runs once.",
        ),
        Key(
            "catch_up",
            Choice(
                tuple(CatchUp),
                (("false", "none"), ("never", "none"), ("no", "none"), ("true", "once"), ("yes", "once")),
                of=CatchUp,
            ),
            "What happens at `up` if runs were missed while portsup did not run: nothing, or one run.",
            "none",
            also=("persistent", "catchup"),
        ),
    ),
    short="cron",
    of=Schedule,
)

WATCH = Section(
    keys=(
        Key(
            "paths",
            Shape.PATTERNS,
            "The files and directories to watch, relative to `working_dir`.",
            ".",
            also=("path", "files", "dirs", "directories"),
        ),
        Key(
            "ignore",
            Shape.PATTERNS,
            "Files that do not count: patterns as in .gitignore.",
            also=("exclude", "ignored", "ignore_watch"),
            more="What `.gitignore` names, and `.git`, `node_modules`, `__pycache__` and the like never count.",
        ),
        Key(
            "settle",
            Duration(0.05),
            "How long no file may change until the changes count.",
            "300ms",
            also=("debounce", "delay"),
        ),
        Key(
            "action",
            ACTION,
            "What follows a change: a restart, a reload (SIGHUP), or a command.",
            "restart",
            also=("on_change", "do"),
        ),
    ),
    short="paths",
)

KEYS = (
    Key(
        "depends_on",
        Shape.DEPENDS_ON,
        "Services that must come first: a list of names, or a mapping of names to conditions.",
        also=("depends", "requires", "after", "needs", "dependencies", "links"),
        is_live=True,
        form=DEPENDS_ON,
    ),
    Key(
        "profiles",
        Shape.NAMES,
        "The service is part of the stack only if one of these profiles is selected, or the service is named itself.",
        also=("profile", "groups", "group", "tags"),
        is_live=True,
    ),
    Key(
        "autostart",
        Flag(),
        "Whether `up` starts the service without being given its name.",
        "true",
        also=("auto_start", "enabled"),
        is_live=True,
    ),
    Key(
        "start",
        Choice(
            ("with-stack", "on-connect"),
            (("on-demand", "on-connect"), ("lazy", "on-connect"), ("socket", "on-connect")),
            of=Start,
        ),
        "When the service starts: with the stack, or when the first client connects to its port.",
        "with-stack",
        is_live=True,
    ),
    Key(
        "start_timeout",
        Duration(0.001),
        "How long the first client of a service with `start: on-connect` waits at most.",
        "30s",
        is_live=True,
    ),
    Key(
        "schedule",
        SCHEDULE,
        "When a `one_shot` runs: `0 3 * * *`, or a mapping. It does not run at `up`.",
        also=("cron", "crontab", "timer", "on_calendar"),
        is_live=True,
    ),
    Key(
        "one_shot",
        Flag(),
        "A job that runs once: it is done, and counts as ready, when it has exited with 0.",
        "false",
        also=("oneshot", "job", "run_once", "once"),
    ),
    Key(
        "watch",
        WATCH,
        "Files of the service, and what follows when they change: `src`, or a mapping.",
        also=("watch_paths", "watchdir", "reload_on_change", "develop"),
        is_live=True,
        form=WATCHED,
    ),
    Key(
        "ready",
        READY,
        "When the service counts as ready. A service without a pool is ready once it is `started`.",
        "listening",
        also=("readiness", "readiness_probe", "ready_when"),
        is_live=True,
        form=forms.READY,
    ),
    Key(
        "healthcheck",
        HEALTHCHECK,
        "How portsup checks that a running service is healthy.",
        also=("health", "health_check", "liveness_probe", "liveness"),
        is_live=True,
        form=forms.HEALTHCHECK,
    ),
)
