"""What holds for a stack as a whole."""

from supervisor.config.keys.service import SERVICE
from supervisor.config.kinds import (
    LONGEST_NAME,
    NAME,
    Duration,
    Flag,
    Key,
    Named,
    Section,
    Several,
    Shape,
    Signal,
    Text,
    Whole,
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
