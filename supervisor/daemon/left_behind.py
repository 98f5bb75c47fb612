"""What a daemon that is over has left behind, where the system hands its orphans to nobody."""

from supervisor.errors import PortsupError
from supervisor.ports.runs import runs_of
from supervisor.ports.runtime import RuntimeDir
from supervisor.process.leftovers import reap_run


def end_runs_of(daemon: int) -> int:
    """Kills all processes that carry the run of this daemon, which its records name; how many there were."""
    try:
        runtime = RuntimeDir.find()
    except PortsupError:
        return 0
    return sum(len(reap_run(run)) for run in runs_of(runtime, daemon))
