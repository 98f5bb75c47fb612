"""`portsup metrics`: the state of every instance as OpenMetrics text, for collectors that read files."""

import argparse
import sys
from collections.abc import Iterable, Iterator

from supervisor.cli import target
from supervisor.cli.complaint import warn
from supervisor.control.client import Client, DaemonGone
from supervisor.control.messages import Resources
from supervisor.control.status import BudgetStatus, ServiceStatus, StackStatus
from supervisor.errors import PortsupError, UsageError
from supervisor.words import instances
from supervisor.words.metrics import ABOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Stack, instance, its status (None if it did not answer), and what its services use.
    Told = tuple[str, int, StackStatus | None, dict[str, Resources | None]]
    Sample = tuple[dict[str, str], float]

EXAMPLES = """\
  portsup metrics                     all instances of the stack here
  portsup --instance 2 metrics        only that one
  portsup metrics --all               all your instances on this machine
  portsup metrics --all > shop.prom.new && mv shop.prom.new shop.prom"""

# By name, without the suffix of its type: the type, and the unit; in the order of the output.  Only gauges and
# counters: the textfile collector of node_exporter reads the older format, which knows no info and no stateset.
FAMILIES = {
    "portsup_instance_up": ("gauge", ""),
    "portsup_loop_longest_stall_seconds": ("gauge", "seconds"),
    "portsup_loop_stalls": ("counter", ""),
    "portsup_budget_bytes": ("gauge", "bytes"),
    "portsup_budget_held_bytes": ("gauge", "bytes"),
    "portsup_budget_waiting": ("gauge", ""),
    "portsup_service_up": ("gauge", ""),
    "portsup_service_ready": ("gauge", ""),
    "portsup_service_fine": ("gauge", ""),
    "portsup_service_healthy": ("gauge", ""),
    "portsup_service_state": ("gauge", ""),
    "portsup_service_port": ("gauge", ""),
    "portsup_service_pool_ports": ("gauge", ""),
    "portsup_service_uptime_seconds": ("gauge", "seconds"),
    "portsup_service_restarts": ("counter", ""),
    "portsup_service_next_run_timestamp_seconds": ("gauge", "seconds"),
    "portsup_service_replicas": ("gauge", ""),
    "portsup_service_replicas_ready": ("gauge", ""),
    "portsup_service_file_changes": ("counter", ""),
    "portsup_service_stdio_sessions": ("gauge", ""),
    "portsup_service_stdio_programs": ("gauge", ""),
    "portsup_service_rotations": ("counter", ""),
    "portsup_service_cpu_seconds": ("counter", "seconds"),
    "portsup_service_memory_bytes": ("gauge", "bytes"),
    "portsup_service_processes": ("gauge", ""),
}
PORT_STATES = ("active", "spare", "taken", "quarantined")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `metrics`."""
    parser.add_argument("-a", "--all", action="store_true", help="print all running instances of all your stacks")


def run(args: argparse.Namespace) -> int:
    """Print what the instances tell; one that does not answer is down, and said."""
    told: list[Told] = []
    for info in target.instances() if args.all else target.all_meant(args):
        try:
            told.append((info.stack, info.instance, *_asked(Client(info.socket))))
        except DaemonGone:  # it has ended since it was found
            continue
        except PortsupError as error:
            warn(f"{instances.of(info.stack, info.instance)}: {error}", args.color)
            told.append((info.stack, info.instance, None, {}))
    sys.stdout.write("".join(f"{line}\n" for line in exposition(told)))
    return 0


def _asked(client: Client) -> tuple[StackStatus, dict[str, Resources | None]]:
    status = client.status()
    try:
        return status, client.resources().resources
    except UsageError:  # it runs since before there was such a request
        return status, {}


def exposition(told: "Iterable[Told]") -> Iterator[str]:
    """The lines of OpenMetrics 1.0, all samples of a family together."""
    samples: dict[str, list[Sample]] = {name: [] for name in FAMILIES}
    for stack, instance, status, used in told:
        place = {"stack": stack, "instance": str(instance)}
        samples["portsup_instance_up"].append((place, float(status is not None)))
        if status is None:
            continue
        if status.loop is not None:
            samples["portsup_loop_longest_stall_seconds"].append((place, status.loop.longest_stall_s))
            samples["portsup_loop_stalls"].append((place, float(status.loop.stalls)))
        for family, more, value in _of_budget(status.budget):
            samples[family].append((place | more, value))
        for row in status.services:
            for family, more, value in _of_service(row, used.get(row.name)):
                samples[family].append((place | {"service": row.name, **more}, value))
    for name, (kind, unit) in FAMILIES.items():
        if samples[name]:
            yield f"# TYPE {name} {kind}"
            if unit:
                yield f"# UNIT {name} {unit}"
            yield f"# HELP {name} {ABOUT[name]}"
            for labels, value in samples[name]:
                words = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
                yield f"{name}{'_total' if kind == 'counter' else ''}{{{words}}} {_number(value)}"
    yield "# EOF"


def _of_budget(budget: BudgetStatus | None) -> Iterator[tuple[str, dict[str, str], float]]:
    if budget is None:
        return
    each = (("memory", budget.memory, budget.memory_held), ("gpu_memory", budget.gpu_memory, budget.gpu_memory_held))
    for resource, limit, held in each:
        if limit is not None:
            yield "portsup_budget_bytes", {"resource": resource}, float(limit)
            yield "portsup_budget_held_bytes", {"resource": resource}, float(held)
    yield "portsup_budget_waiting", {}, float(len(budget.waiting))


def _of_service(row: ServiceStatus, used: Resources | None) -> Iterator[tuple[str, dict[str, str], float]]:
    yield "portsup_service_up", {}, float(row.pid is not None)
    yield "portsup_service_ready", {}, float(row.state == "running")
    yield "portsup_service_fine", {}, float(row.is_fine)
    if row.health != "none":
        yield "portsup_service_healthy", {}, float(row.health == "healthy")
    yield "portsup_service_state", {"state": row.state}, 1.0
    if row.port is not None:
        yield "portsup_service_port", {}, float(row.port)
    if row.pool:
        states = [port.state for port in row.pool]
        for state in PORT_STATES:
            yield "portsup_service_pool_ports", {"state": state}, float(states.count(state))
    if row.uptime_s is not None:
        yield "portsup_service_uptime_seconds", {}, row.uptime_s
    yield "portsup_service_restarts", {}, float(row.restarts)
    if row.next_run is not None:
        from datetime import datetime

        yield "portsup_service_next_run_timestamp_seconds", {}, datetime.fromisoformat(row.next_run).timestamp()
    if row.replicas:
        yield "portsup_service_replicas", {}, float(len(row.replicas))
        yield "portsup_service_replicas_ready", {}, float(row.ready)
    if row.file_changes is not None:
        yield "portsup_service_file_changes", {}, float(row.file_changes)
    if row.stdio is not None:
        yield "portsup_service_stdio_sessions", {}, float(row.stdio.sessions)
        yield "portsup_service_stdio_programs", {}, float(row.stdio.programs)
    if row.rotations is not None:
        yield "portsup_service_rotations", {}, float(row.rotations)
    if used is not None:
        yield "portsup_service_cpu_seconds", {}, used.cpu_s
        yield "portsup_service_memory_bytes", {}, float(used.memory)
        yield "portsup_service_processes", {}, float(used.processes)


def _number(value: float) -> str:
    """All its digits, however many bytes are counted."""
    return str(int(value)) if value == value // 1 else repr(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
