"""What follows when a service ends, and how it is stopped."""

from supervisor.config.kinds import (
    Choice,
    Duration,
    Key,
    Number,
    Section,
    Shape,
    Signal,
    Whole,
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

KEYS = (
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
)
