"""When a service is stopped because nobody uses it."""

from supervisor.config.forms.start import IDLE
from supervisor.config.kinds import Duration, Key, Section, Shape, Text
from supervisor.config.spec import IdleCheck

IDLE_WHEN = Section(
    keys=(
        Key(
            "cpu_below",
            Text(r"[0-9]+(\.[0-9]+)?%?", "a share of one processor such as 2%", what="percent", or_number=True),
            "What the processes of the service use of one processor together, measured for a second.",
            required=True,
            also=("cpu",),
        ),
    ),
)

IDLE_CHECK = Section(
    keys=(
        Key(
            "exec",
            Shape.COMMAND,
            "A command that exits with 0 when the service may be stopped.",
            required=True,
            also=("test", "command", "cmd"),
            field="command",
        ),
        Key("timeout", Duration(0.001), "How long the command may take before portsup kills it.", "10s"),
    ),
    of=IdleCheck,
)

KEYS = (
    Key(
        "idle_stop",
        Duration(0.001),
        "How long nobody is connected to the service before portsup stops it, until its next client comes.",
        unset="never",
        also=("idle_timeout", "idle_after", "sleep_after", "stop_when_idle", "ttl"),
        is_live=True,
    ),
    Key(
        "idle_min_up",
        Duration(),
        "How long a service is ready at least before `idle_stop` stops it.",
        "30s",
        is_live=True,
    ),
    Key(
        "idle_when",
        IDLE_WHEN,
        "What else must hold before `idle_stop` stops the service.",
        is_live=True,
        form=IDLE,
    ),
    Key(
        "idle_check",
        IDLE_CHECK,
        "Asks whether `idle_stop` may stop the service now.",
        is_live=True,
    ),
)
