"""What follows when a service ends, and how it is stopped."""

from supervisor.config.forms import ending as forms
from supervisor.config.forms.program import SUCCESS_EXIT_CODES
from supervisor.config.kinds import Choice, Duration, Key, Number, Section, Shape, Signal, Whole
from supervisor.config.spec import HookCommand, Restart, RestartPolicy

RESTART_POLICY = Section(
    keys=(
        Key(
            "delay",
            Duration(),
            "The first delay. A service that had been ready for a second restarts without one.",
            "0.5s",
            also=("backoff", "restart_delay"),
        ),
        Key(
            "factor",
            Number(1.0, 100.0),
            "Each delay is this many times the one before.",
            "2",
            also=("multiplier",),
        ),
        Key("max_delay", Duration(), "No delay is longer than this.", "30s", also=("max_backoff",)),
        Key(
            "max_restarts",
            Whole(0, 1_000_000, endless="infinite"),
            "The service has failed after this many restarts without being ready for a whole `period` in between. "
            "`infinite`: no limit.",
            "10",
            also=("max_attempts", "retries"),
        ),
        Key(
            "period",
            Duration(0.001),
            "A service that was ready for this long starts counting anew.",
            "60s",
            also=("window",),
        ),
    ),
    of=RestartPolicy,
)

OTHERS = Choice(
    ("ignore", "stop_all"),
    (("stop", "stop_all"), ("stop-all", "stop_all"), ("fatal", "stop_all"), ("down", "stop_all"), ("none", "ignore")),
)

ON_END = Section(
    keys=(
        Key(
            "success",
            OTHERS,
            "After the service ended with success: exit code 0, or one of `success_exit_codes`.",
            "ignore",
            also=("on_success", "end"),
        ),
        Key(
            "failure",
            OTHERS,
            "After the service has failed, also because a service that it depends on failed.",
            "ignore",
            also=("on_failure", "fail"),
        ),
    ),
    words=OTHERS.words,
)

HOOK = Section(
    keys=(
        Key(
            "command",
            Shape.COMMAND,
            "The command to run. Exit code 0 means success.",
            required=True,
            also=("exec", "run", "cmd"),
        ),
        Key("timeout", Duration(0.001), "How long the command may take before portsup kills it.", "30s"),
    ),
    short="command",
    of=HookCommand,
)

HOOKS = Section(
    keys=(
        Key(
            "pre_start",
            HOOK,
            "Runs before each start, with the port. If it fails, the start has failed.",
            also=("before_start", "exec_start_pre", "execstartpre", "prestart", "pre_exec"),
        ),
        Key(
            "post_start",
            HOOK,
            "Runs when the service is ready. Nothing waits for it.",
            also=("after_start", "exec_start_post", "execstartpost", "poststart", "post_ready"),
        ),
        Key(
            "pre_stop",
            HOOK,
            "Runs before portsup asks a service that was ready to stop.",
            also=("before_stop", "prestop", "exec_stop", "execstop"),
        ),
        Key(
            "post_stop",
            HOOK,
            "Runs when no process of the service is left, also after a crash, and before its next start.",
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
            "Who gets it: the whole process group, or the main process alone. portsup kills what is left when that has "
            "ended.",
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
                ("on", "always"),
                ("off", "never"),
                ("true", "always"),
                ("yes", "always"),
                ("on_failure", "on-failure"),
                ("unexpected", "on-failure"),
            ),
            of=Restart,
        ),
        "After which exits portsup restarts the service.",
        "on-failure",
        also=("autorestart", "respawn"),
        more="A failure is an exit code other than 0 and `success_exit_codes`, a signal, or a service that is not "
        "ready in time.",
        is_live=True,
        form=forms.RESTART,
    ),
    Key(
        "success_exit_codes",
        Shape.EXIT_CODES,
        "Exit codes that mean success, in addition to 0.",
        also=("exitcodes", "exit_codes", "success_exit_status", "successexitstatus", "stop_exit_codes"),
        is_live=True,
        form=SUCCESS_EXIT_CODES,
    ),
    Key(
        "on_end",
        ON_END,
        "What happens to the other services when this one has ended and portsup does not restart it.",
        "ignore",
        also=("on_exit", "on_failure", "exit_on_end", "exit_on_failure", "abort_on_exit"),
        is_live=True,
        form=forms.ON_END,
    ),
    Key(
        "restart_policy",
        RESTART_POLICY,
        "How long to wait before a restart, and when to give up.",
        also=("backoff", "availability"),
        is_live=True,
        form=forms.restart_policy(RESTART_POLICY),
    ),
    Key(
        "stop_command",
        HOOK,
        "A command that asks the service to stop, instead of `stop_signal`.",
        also=("stop_cmd", "exec_stop", "execstop", "shutdown_command", "shutdown"),
        is_live=True,
    ),
    Key(
        "hooks",
        HOOKS,
        "Commands to run at certain points of the service's life.",
        also=("hook", "lifecycle"),
        is_live=True,
        form=forms.hooks(HOOK),
    ),
    Key(
        "stop_signal",
        STOP_SIGNAL,
        "The signal that asks the program to end, and which of its processes get it.",
        "SIGTERM",
        also=("stopsignal", "kill_signal"),
        is_live=True,
        form=forms.STOP_SIGNAL,
    ),
    Key(
        "stop_grace_period",
        Duration(),
        "How long the program may take to end. Then portsup kills its whole process tree.",
        "10s",
        also=("stop_timeout", "stopwaitsecs", "kill_timeout", "grace_period", "graceful_timeout"),
        is_live=True,
    ),
    Key(
        "pid_file",
        Shape.PATH,
        "A file that the program writes its pid into when it has put itself into the background.",
        also=("pidfile", "pid", "main_pid_file", "pid_path"),
        is_live=True,
    ),
)
