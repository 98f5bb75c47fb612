"""The table of every key of a services.yaml.

Reading, suggestions, the JSON Schema and a test of docs/reference/services-yaml.md all follow this one table.
Defaults are written as a user would write them; an empty one means that there is none.
It has more than 300 lines because it is one table.
"""

from supervisor.config.kinds import (
    ACCOUNT,
    LONGEST_NAME,
    NAME,
    VARIABLE,
    Choice,
    Duration,
    Flag,
    Key,
    Named,
    Number,
    Section,
    Several,
    Shape,
    Signal,
    Size,
    Text,
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

RESTART_POLICY = Section(
    keys=(
        Key(
            "delay",
            Duration(),
            "The first wait; a service that had been ready for a second is restarted without one.",
            "0.5s",
            also=("backoff", "restart_delay"),
        ),
        Key("factor", Number(1.0, 100.0), "Each wait is this many times the one before.", "2", also=("multiplier",)),
        Key("max_delay", Duration(), "No wait is longer than this.", "30s", also=("max_backoff",)),
        Key(
            "max_restarts",
            Whole(0, 1_000_000, endless="infinite"),
            "More restarts than this, never ready for a whole `period` in between, make it fail; `infinite`: no limit.",
            "10",
            also=("max_attempts", "retries"),
        ),
        Key(
            "period",
            Duration(0.001),
            "A service that was ready this long starts counting anew.",
            "60s",
            also=("window",),
        ),
    )
)

OTHERS = Choice(
    ("ignore", "stop_all"),
    (("stop", "stop_all"), ("stop-all", "stop_all"), ("fatal", "stop_all"), ("down", "stop_all"), ("none", "ignore")),
)

ON_END = Section(
    keys=(
        Key("success", OTHERS, "After an end with success.", "ignore", also=("on_success", "end")),
        Key("failure", OTHERS, "After it has failed.", "ignore", also=("on_failure", "fail")),
    ),
    words=OTHERS.words,
)

_BYTES = 2**62

LIMITS = Section(
    keys=(
        Key("nofile", Whole(16, 2**30), "Open files.", also=("open_files", "files", "fds", "minfds")),
        Key("nproc", Whole(1, 2**30), "Processes of the user that it runs as.", also=("processes", "minprocs", "pids")),
        Key("address_space", Size(2**20, _BYTES), "Virtual memory of one process.", also=("as", "vmem", "memory")),
        Key("cpu_time", Duration(1.0), "CPU time of one process, in whole seconds.", also=("cpu",)),
        Key("file_size", Size(0, _BYTES), "The largest file it may write.", also=("fsize",)),
        Key("core", Size(0, _BYTES), "The largest core file."),
        Key("stack", Size(2**16, _BYTES), "The stack of one process."),
        Key("memlock", Size(0, _BYTES), "Memory that is locked."),
    )
)

HOOK = Section(
    keys=(
        Key("command", Shape.COMMAND, "The command that is run.", required=True, also=("exec", "run", "cmd")),
        Key("timeout", Duration(0.001), "How long it may take before it is killed.", "30s"),
    ),
    short="command",
)

HOOKS = Section(
    keys=(
        Key(
            "pre_start",
            HOOK,
            "Before each start, with the port; the start has failed if it does.",
            also=("before_start", "exec_start_pre", "execstartpre", "prestart", "pre_exec"),
        ),
        Key(
            "post_start",
            HOOK,
            "When the service is ready; nobody waits for it.",
            also=("after_start", "exec_start_post", "execstartpost", "poststart", "post_ready"),
        ),
        Key(
            "pre_stop",
            HOOK,
            "Before a service that was ready is asked to stop.",
            also=("before_stop", "prestop", "exec_stop", "execstop"),
        ),
        Key(
            "post_stop",
            HOOK,
            "When nothing is left of the service, also after a crash, and before the next start.",
            also=("after_stop", "exec_stop_post", "execstoppost", "poststop", "post_exit"),
        ),
    )
)

ON_PORT_CHANGE = Section(
    keys=(Key("signal", Signal(handled=True), "The signal that tells the service to look up its peers' ports again."),),
    words=("restart", "ignore"),
    one_of=("signal",),
    needs_one=True,
)

STOP_SIGNAL = Section(
    keys=(
        Key("signal", Signal(), "The signal that asks the program to end.", "SIGTERM", also=("name", "number")),
        Key(
            "to",
            Choice(
                ("group", "main"),
                (("all", "group"), ("control-group", "group"), ("process", "main"), ("mixed", "main"), ("pid", "main")),
            ),
            "Who gets it: the whole process group, or the main process alone; what that leaves behind is killed.",
            "group",
            also=("kill_mode", "killmode", "target"),
        ),
    ),
    short="signal",
)

LOGGING = Section(
    keys=(
        Key(
            "max_size",
            Size(4096, 1024**4),
            "A log file that grows beyond this is rotated.",
            "10MB",
            also=("max_bytes",),
        ),
        Key(
            "backups",
            Whole(0, 1000),
            "Rotated files that are kept.",
            "5",
            also=("max_file", "backup_count"),
        ),
        Key("redact", Flag(), "Whether secrets in the service's output are replaced by `***`.", "true"),
    )
)

SERVICE = Section(
    keys=(
        Key("description", Text(longest=1000), "What the service is, in a few words."),
        Key(
            "command",
            Shape.COMMAND,
            "The program and its arguments: a list, or a text that is split like a shell would, without a shell.",
            required=True,
            also=("cmd", "entrypoint", "run", "exec", "script", "args"),
        ),
        Key(
            "extends",
            Shape.EXTENDS,
            "Another service, of this file or of another, to begin with; what is said here is merged over it.",
            also=("extend", "inherits", "template", "base"),
        ),
        Key(
            "pool",
            Shape.POOL,
            "The ports of the service in the order they are tried: a list, a range, one port, or a base and a size.",
            also=("ports", "port", "expose"),
        ),
        Key(
            "port_env",
            Text(VARIABLE, "letters, digits and `_`, no digit first", 200),
            "The environment variable that tells the program its port.",
            "PORT",
            also=("port_variable",),
        ),
        Key(
            "fetch_url",
            Shape.HTTP_URL,
            "Another address of the service, for browsers and other clients of the Fetch standard, which refuse some "
            "ports: `up` and `doctor` name it.",
        ),
        Key(
            "environment",
            Shape.ENVIRONMENT,
            "Variables for the program: a mapping or a list of NAME=VALUE; one without a value is taken from outside.",
            also=("env", "environments", "envs", "vars"),
        ),
        Key(
            "env_file",
            Shape.ENV_FILES,
            "Files of NAME=VALUE lines, relative to services.yaml; `environment` wins over them.",
            also=("env_files", "envfile", "dotenv"),
        ),
        Key(
            "working_dir",
            Text(r"[^\0]+", "a path", 4096),
            "The folder the program runs in, relative to services.yaml.",
            ".",
            also=("cwd", "directory", "dir", "chdir", "workdir", "root"),
        ),
        Key(
            "stdin",
            Choice(("null", "open"), (("closed", "null"), ("none", "null"), ("true", "open"), ("pipe", "open"))),
            "What the program reads from its standard input: the end of it at once, or a pipe that stays silent.",
            "null",
            also=("stdin_open", "standard_input", "input"),
        ),
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
        Key(
            "restart",
            Choice(
                ("never", "on-failure", "always"),
                (
                    ("no", "never"),
                    ("false", "never"),
                    ("none", "never"),
                    ("unless-stopped", "always"),
                    ("true", "always"),
                    ("yes", "always"),
                    ("on_failure", "on-failure"),
                    ("unexpected", "on-failure"),
                ),
            ),
            "Which exits lead to a restart.",
            "on-failure",
            also=("autorestart", "respawn"),
        ),
        Key(
            "success_exit_codes",
            Shape.EXIT_CODES,
            "Exit codes beside 0 that mean success.",
            also=("exitcodes", "exit_codes", "success_exit_status", "successexitstatus", "stop_exit_codes"),
        ),
        Key(
            "on_end",
            ON_END,
            "What happens to the other services when this one has ended, and its `restart` leaves it so.",
            "ignore",
            also=("on_exit", "on_failure", "exit_on_end", "exit_on_failure", "abort_on_exit"),
        ),
        Key(
            "restart_policy",
            RESTART_POLICY,
            "How long to wait before a restart, and when to give up.",
            also=("backoff", "availability"),
        ),
        Key(
            "stop_command",
            HOOK,
            "A command that asks the service to stop, in the place of `stop_signal`.",
            also=("stop_cmd", "exec_stop", "execstop", "shutdown_command", "shutdown"),
        ),
        Key(
            "hooks",
            HOOKS,
            "Commands that are run at certain points of the service's life.",
            also=("hook", "lifecycle"),
        ),
        Key(
            "stop_signal",
            STOP_SIGNAL,
            "The signal that asks the program to end, and who of its processes gets it.",
            "SIGTERM",
            also=("stopsignal", "kill_signal"),
        ),
        Key(
            "stop_grace_period",
            Duration(),
            "How long the program may take to end before it is killed.",
            "10s",
            also=("stop_timeout", "stopwaitsecs", "kill_timeout", "grace_period", "graceful_timeout"),
        ),
        Key(
            "pid_file",
            Shape.PATH,
            "A file that the program writes its pid into when it has put itself into the background.",
            also=("pidfile", "pid", "main_pid_file", "pid_path"),
        ),
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
        Key(
            "rotate_after", Whole(1, 1000), "Failed starts on one port before the next port of the pool is tried.", "3"
        ),
        Key("quarantine", Duration(), "How long a port that failed is left alone.", "60s"),
        Key(
            "on_port_change",
            ON_PORT_CHANGE,
            "What happens to this service when one that it depends on moved to another port.",
            "restart",
            also=("on_port_changed",),
        ),
        Key(
            "user",
            Text(ACCOUNT, "a user name, or a number", 256, or_number=True),
            "The user that the program runs as; portsup has to be root for that.",
            also=("uid", "run_as", "username"),
        ),
        Key(
            "group",
            Text(ACCOUNT, "a group name, or a number", 256, or_number=True),
            "The group that the program runs as; that of the user if left out.",
            also=("gid", "groupname"),
        ),
        Key(
            "umask",
            Text(r"0?[0-7]{3}", "three octal digits, such as 022"),
            "The permissions that files it makes do not get.",
        ),
        Key(
            "memory_limit",
            Size(2**20, _BYTES),
            "A service whose processes have more memory than this together is started again.",
            also=("mem_limit", "max_memory", "max_memory_restart", "memory_max"),
        ),
        Key("limits", LIMITS, "What each of its processes may use of the machine.", also=("ulimits", "rlimits")),
        Key(
            "logging",
            LOGGING,
            "How much of the service's output is kept, and whether secrets are hidden in it.",
            also=("log", "logs"),
        ),
    )
)

ON_CHANGE = Section(
    keys=(
        Key(
            "command", Shape.COMMAND, "A command that is run after the file was replaced.", also=("exec", "run", "cmd")
        ),
        Key("timeout", Duration(0.001), "How long the command may take before it is killed.", "10s"),
        Key(
            "signal",
            Section(
                (
                    Key(
                        "service",
                        Text(NAME, "the name of a service", LONGEST_NAME),
                        "Which service gets it.",
                        required=True,
                    ),
                    Key("signal", Signal(handled=True), "The signal that makes it read the file again.", required=True),
                )
            ),
            "A running service gets a signal.",
        ),
    ),
    one_of=("command", "signal"),
    needs_one=True,
)

RENDER = Section(
    keys=(
        Key(
            "template",
            Text(r"[^\0]+", "a path", 4096),
            "The file with placeholders, relative to services.yaml.",
            required=True,
            also=("from", "source", "src"),
        ),
        Key(
            "to",
            Text(r"[^\0]+", "a path", 4096),
            "The file that is replaced, relative to services.yaml; `{instance}` in it is filled in.",
            required=True,
            also=("target", "dest", "destination", "output", "file"),
        ),
        Key("on_change", ON_CHANGE, "What happens when the content has changed.", also=("on_changed",)),
    )
)

STACK = Section(
    keys=(
        Key(
            "name",
            Text(NAME, "lower-case letters, digits, `.`, `_` and `-`, no sign first", LONGEST_NAME),
            "The name of the stack; the folder's name if left out.",
        ),
        Key(
            "instances",
            Section(
                (
                    Key(
                        "stride",
                        Whole(1, 65534),
                        "How far the ports of one instance are from those of the next.",
                        "100",
                    ),
                )
            ),
            "How several copies of the stack share the machine.",
            also=("instance",),
        ),
        Key(
            "ports",
            Section(
                (
                    Key(
                        "strict",
                        Flag(),
                        "Only the first port of each pool will do; if it is taken, `up` fails.",
                        "false",
                    ),
                )
            ),
            "Rules for all pools.",
        ),
        Key(
            "render",
            Several(RENDER),
            "Files that always tell where the services are, made of templates.",
            also=("templates", "renders"),
        ),
        Key(
            "services",
            Named(SERVICE),
            "The services by name.",
            required=True,
            also=("processes", "programs", "apps", "service"),
        ),
    )
)
