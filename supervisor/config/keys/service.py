"""What holds for one service: the keys of the other files of this folder, in the order in which they are shown."""

from supervisor.config.keys import ending, idle, place, port, process, program, replicas, start
from supervisor.config.kinds import Section
from supervisor.config.spec import ServiceSpec

SERVICE = Section(
    keys=(
        *program.KEYS,
        *start.KEYS,
        *idle.KEYS,
        *replicas.KEYS,
        *ending.KEYS,
        *port.KEYS,
        *process.KEYS,
        *place.KEYS,
    ),
    of=ServiceSpec,
)
