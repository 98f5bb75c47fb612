"""What holds for a stack as a whole."""

from supervisor.config.forms import stack as forms
from supervisor.config.forms.usual import spread
from supervisor.config.keys import names
from supervisor.config.keys.service import SERVICE
from supervisor.config.kinds import (
    LONGEST_NAME,
    NAME,
    Choice,
    Duration,
    Flag,
    Key,
    Named,
    Section,
    Several,
    Shape,
    Signal,
    Size,
    Text,
    Whole,
)
from supervisor.config.spec import StackSpec
from supervisor.core.budget import Budget, Evict
from supervisor.core.notices import Notify

LARGEST = 2**62  # bytes

INSTANCES = Section(
    keys=(
        Key(
            "stride",
            Whole(1, 65534),
            "How far the ports of one instance are from those of the next.",
            "100",
            more="Instance 2 of a service with port 8000 has 8100.",
        ),
    )
)

PORTS = Section(
    keys=(
        Key(
            "strict",
            Flag(),
            "Use only the first port of each pool. If it is taken, `up` fails.",
            "false",
            more="The option `--strict-ports` does the same for one run.",
            field="strict_ports",
        ),
    )
)

ON_CHANGE_SIGNAL = Section(
    keys=(
        Key(
            "service",
            Text(NAME, "the name of a service", LONGEST_NAME, what="name"),
            "The service that gets the signal.",
            required=True,
        ),
        Key(
            "signal",
            Signal(handled=True),
            "The signal that makes it read the file again.",
            required=True,
            more="Any but `SIGKILL` and `SIGSTOP`.",
        ),
    )
)

ON_CHANGE = Section(
    keys=(
        Key(
            "command",
            Shape.COMMAND,
            "A command to run after the file was replaced.",
            also=("exec", "run", "cmd"),
            more="It runs in the directory of services.yaml, with the variables that services have. Placeholders are "
            "filled in.",
        ),
        Key("timeout", Duration(0.001), "How long the command may take before portsup kills it.", "10s"),
        Key("signal", ON_CHANGE_SIGNAL, "Sends a signal to a running service."),
    ),
    one_of=("command", "signal"),
    needs_one=True,
)

RENDER = Section(
    keys=(
        Key(
            "template",
            Text(r"[^\0]+", "a path", 4096, what="path"),
            "The file with placeholders, relative to services.yaml.",
            required=True,
            also=("from", "source", "src"),
            more="UTF-8, at most 1 MiB. See [placeholders](#placeholders).",
        ),
        Key(
            "to",
            Text(r"[^\0]+", "a path", 4096, what="path"),
            "The file to write, relative to services.yaml. `{instance}` in it is filled in.",
            required=True,
            also=("target", "dest", "destination", "output", "file"),
        ),
        Key("on_change", ON_CHANGE, "What to do when the content has changed.", also=("on_changed",)),
    )
)

BUDGET = Section(
    keys=(
        Key(
            "memory",
            Size(2**20, LARGEST),
            "What the services that run may cost together, by their `memory_cost`.",
            also=("mem", "ram", "limit", "max_memory"),
        ),
        Key(
            "gpu_memory",
            Size(2**20, LARGEST),
            "The same for memory of graphics processors, by `gpu_memory_cost`.",
            also=("vram", "gpu"),
            unset="what the driver of NVIDIA says",
            more="To ask the driver takes the extra `gpu`.",
        ),
        Key(
            "evict",
            Choice(tuple(Evict), (("least-recently-used", "lru"), ("oldest", "lru")), of=Evict),
            "Which service that nobody uses stops first: the one that was used longest ago.",
            "lru",
        ),
    ),
    of=Budget,
)

RAY = Section(
    keys=(
        Key(
            "address",
            Text(r"[^\0\s]+", "`auto`, HOST:PORT or ray://HOST:10001", 255, what="address"),
            "The cluster on which the stack runs, if `--on` and PORTSUP_ON do not say another one.",
            unset="this machine",
            more="`--on ''` is this machine.",
            field="engine_address",
        ),
        Key(
            "lease",
            Duration(1.0),
            "How long a node keeps a service after it last renewed the lease; only then may another node "
            "start it.",
            "15s",
            more="It must be at least `grace` and 5 s.",
        ),
        Key(
            "grace",
            Duration(),
            "How long the services of a node that has lost the cluster get to stop before portsup kills them.",
            "5s",
            field="lost_grace",
        ),
    )
)

ENGINE = Section(
    keys=(Key("ray", RAY, "The Ray cluster, and its time limits.", form=spread("ray", RAY)),),
)

NOTIFY = Section(
    keys=(
        Key(
            "on",
            Shape.NAMES,
            "What to send a notice of: `failed`, `flapping`, `unhealthy`, `ready`.",
            "[failed, flapping, unhealthy]",
            also=("events", "when"),
        ),
        Key(
            "to",
            Shape.ADDRESSES,
            "Where to send it: `desktop`, or addresses as apprise has them.",
            also=("urls", "targets", "url", "services"),
        ),
        Key("run", Shape.COMMAND, "A command that sends it.", also=("command", "exec", "cmd")),
        Key("every", Duration(), "How long to wait between two notices.", "1m", also=("interval",)),
    ),
    of=Notify,
)

STACK = Section(
    keys=(
        Key(
            "name",
            Text(NAME, "lower-case letters, digits, `.`, `_`, `-`, a letter or digit first", LONGEST_NAME, what="name"),
            "The name of the stack. Without it: the name of the directory.",
            unset="the directory's name",
            more="Instances, sockets and log directories are named after it.",
            form=forms.NAME,
        ),
        Key(
            "instances",
            INSTANCES,
            "How several instances of the stack share the machine.",
            also=("instance",),
            form=spread("instances", INSTANCES),
        ),
        Key(
            "budget",
            BUDGET,
            "How much memory the services that run may cost together. Those that nobody uses make room for others.",
            also=("memory_budget",),
        ),
        Key(
            "notify",
            NOTIFY,
            "Sends you a notice when something goes wrong.",
            also=("notifications", "alerts", "notification"),
            form=forms.NOTIFY,
        ),
        Key("ports", PORTS, "Rules for all pools.", form=spread("ports", PORTS)),
        Key(
            "engine",
            ENGINE,
            "How the stack runs on several machines.",
            more="See [run on several machines](../how-to/run-on-several-machines.md).",
            form=spread("engine", ENGINE),
        ),
        Key(
            "render",
            Several(RENDER),
            "Files that portsup writes from templates, with the current addresses of the services.",
            also=("templates", "renders"),
            form=forms.RENDER,
        ),
        names.KEY,
        Key(
            "services",
            Named(SERVICE),
            "The services by name.",
            required=True,
            also=("processes", "programs", "apps", "service"),
            form=forms.services(SERVICE),
        ),
    ),
    of=StackSpec,
)
