"""Where a service runs on a cluster; on one machine these keys change nothing."""

from supervisor.config.forms import place as forms
from supervisor.config.kinds import Flag, Key, Number, Section, Shape, Text

PLACE = Section(
    keys=(
        Key("cpus", Number(0, 65536), "How many processors Ray sets aside for the service.", "0", also=("cpu",)),
        Key("gpus", Number(0, 65536), "How many GPUs Ray sets aside for the service.", "0", also=("gpu",)),
        Key("labels", Shape.HEADERS, "The labels that its node must have, as `ray start --labels` gave them."),
        Key(
            "node",
            Text(r"[^\0\s]+", "the name, address or id of a node", 255, what="node"),
            "The only node on which the service may run: its name, address or id in Ray.",
            also=("host", "hostname"),
        ),
        Key("spread", Flag(), "Whether Ray puts the service on a node with few others.", "false"),
    ),
)

KEYS = (
    Key(
        "place",
        PLACE,
        "Where the service may run on a cluster, and what it takes there.",
        more="Only `portsup up --on` looks at it. See [run on several machines](../how-to/run-on-several-machines.md).",
        also=("placement",),
        form=forms.PLACE,
    ),
    Key(
        "expose",
        Flag(),
        "On a cluster, whether the service listens on the address of its node, where other nodes reach it, and not on "
        "the loopback.",
        "false",
        more="`{host}` and `HOST` are that address then. Whoever reaches the network of the nodes reaches the service.",
        also=("exposed",),
    ),
)
