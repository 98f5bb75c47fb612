"""What is said of services on a cluster, and of the cluster itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from supervisor.errors import ExitCode, NotFound, PortsupError, UsageError, WaitTimedOut

NODE_SILENT = "its node does not answer"
ENDS_BY_ITSELF = "its node does not answer, and ends it when its lease is over"
NOT_PLACED = "no node has room for it yet"
STARTING = "starting"
STOPPED = "stopped"
NOBODY_STAYS = "`up` returns when the stack is up, so it does not see the end of a service"
NOT_MEASURED = "nobody collects from the nodes what services use"

# Commands for one machine alone, and why.
ONE_MACHINE = {
    "reload": "what a keeper runs, and the files of the project on its node, are those of the `up` that made it: "
    "change a stack by `portsup down --on ADDRESS` and `portsup up --on ADDRESS`",
    "scale": "the number of replicas is that of the `up` that made their keeper: use `down` and `up` for another one",
    "wait": "`portsup up --on ADDRESS` waits until every service is ready, and `--wait-timeout` says how long",
    "env": "the variables differ from node to node: `portsup url --on ADDRESS SERVICE` prints an address",
    "top": "it shows the stacks of one machine: use `portsup status --watch --on ADDRESS`",
    "web": "it shows the stacks of one machine: use `portsup status --watch --on ADDRESS`",
    "timings": "each service has a start of its own, on its node: `portsup events --on ADDRESS` has the times",
    "metrics": "nobody collects from the nodes what services use: collect it on each node, from `<stack>.<service>`",
}

_WITHOUT_EFFECT = {
    "budget": "each service has a portsup of its own, which does not see what the others use: use `memory_limit`, and "
    "`cpus` and `gpus` of `place`",
    "notify": "nobody sees all services of a cluster all the time: watch `portsup status --on ADDRESS`, whose exit "
    "code is 3 if a service is not running",
    "names": "a name is for the browsers of one machine: `portsup url --on ADDRESS SERVICE` prints an address",
    "on_end": "it ends its own portsup, and not the stack",
    "watch": "the files of the project on a node are a copy, which nobody changes",
    "fetch_url": "only an `up` on one machine prints it",
}


def lease_too_short(lease: float, grace: float, least: float) -> PortsupError:
    """A node that has lost the cluster could not end its services in time."""
    return UsageError(
        "cannot run this stack on a cluster",
        f"with a `lease` of {lease:g} s and a `grace` of {grace:g} s a node that loses the cluster cannot end its "
        "services before another node starts them",
        f"in `engine: {{ray: …}}` set `lease` to at least {least:g}s, or `grace` to less",
    )


def not_exposed(name: str, other: str) -> PortsupError:
    """A service could not be reached from another node."""
    return UsageError(
        f"cannot start `{name}` on a cluster",
        f"it uses `{other}`, which listens on the loopback of its own node",
        f"give `{other}` `expose: true`, or give both the same `place: {{node: NAME}}`",
    )


def other_version(mine: str, theirs: str) -> str:
    """Nodes must have the same portsup."""
    return f"its node has portsup {theirs}, and the stack was started with {mine}: install the same on every node"


def no_cluster(address: str, why: str) -> PortsupError:
    """Nobody is at this address."""
    hint = "start one with `ray start --head`, and give its address to `--on`"
    return PortsupError(f"cannot connect to Ray at `{address}`", why or "nobody answers", hint)


def no_machine(address: str, host: str) -> PortsupError:
    """No machine can be called so."""
    return no_cluster(address, f"`{host}` is no name of a machine")


def not_brought(folder: str, why: str) -> PortsupError:
    """The project did not reach the nodes."""
    return PortsupError(
        f"cannot bring `{folder}` to the nodes", last_line(why),
        "what `.gitignore` names stays here: name there what the services do not need",
    )  # fmt: skip


def already_up(stack: str, instance: int) -> PortsupError:
    """The stack is on the cluster."""
    error = PortsupError(
        f"cannot start stack `{stack}` instance {instance}", "it is on this cluster already",
        f"`portsup down --on ADDRESS` stops it; `--instance {instance + 1}` starts another one",
    )  # fmt: skip
    error.exit_code = ExitCode.INSTANCE_TAKEN
    return error


def no_node(name: str, service: str, known: Sequence[str]) -> PortsupError:
    """Ray has no such node."""
    return PortsupError(
        f"cannot place `{service}`", f"the cluster has no node `{name}`", f"its nodes: {', '.join(known)}"
    )


def no_such_stack(stack: str | None, known: Sequence[tuple[str, int]], count: int) -> NotFound:
    """There is not just one stack that is meant."""
    there = ", ".join(f"`{name}` instance {number}" for name, number in known)
    why = f"the cluster has: {there}" if known else "nothing of portsup runs on this cluster"
    what = f"cannot find stack `{stack}`" if stack and not count else "cannot tell which stack is meant"
    return NotFound(what, why, "start it: `portsup up --on ADDRESS`" if not count else "add `--instance N`")


def no_registry(stack: str, why: str) -> PortsupError:
    """What knows where everything is has not started."""
    return PortsupError(
        f"cannot start stack `{stack}`", f"its registry does not start on the head of the cluster: {last_line(why)}",
        "install the same `portsup[ray]` on every node; the logs of Ray are in /tmp/ray/session_latest/logs there",
    )  # fmt: skip


def last_line(text: str) -> str:
    """The last line of what Ray says of an error; the others are where it was raised."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it does not answer"


def registry_silent(stack: str, has_head: bool) -> PortsupError:
    """The one who knows where everything is does not answer; without the head Ray starts no other one."""
    what = f"cannot ask stack `{stack}`"
    if has_head:
        hint = "Ray starts it again within seconds: try again; `ray status` shows the nodes"
        return PortsupError(what, "its registry does not answer", hint)
    hint = "the services stop when their leases end; start the cluster again, and then the stack"
    return PortsupError(what, "the head of the cluster is gone, and with it the registry", hint)


def node_is_silent(node: str, why: str) -> str:
    """What is missing in what is shown, as a node did not tell."""
    return f"node {node} does not answer" + (f" ({why})" if why else "") + ": what it alone has is missing here"


def no_node_answers(service: str) -> PortsupError:
    """Nobody who has its logs answers."""
    return PortsupError(f"cannot show `{service}`", "no node answers", "`ray status` shows the nodes")


def not_running_here(service: str) -> PortsupError:
    """It has no process."""
    return PortsupError(f"cannot do this to `{service}`", "it has no process", f"start it: `portsup restart {service}`")


def not_up_in_time(seconds: float, names: Sequence[str]) -> PortsupError:
    """The stack is not up."""
    return WaitTimedOut(
        "cannot say that the stack is up", f"after {seconds:g} s these are not ready: {', '.join(names)}",
        "they go on starting: `portsup status --on ADDRESS`; `portsup down --on ADDRESS` stops them",
    )  # fmt: skip


def unknown(ready: float | None) -> str:
    """How long its node has been silent."""
    return f"its node does not answer (last ready {ready:.0f} s ago)" if ready is not None else NODE_SILENT


def state_with_age(state: str, ready: float | None) -> str:
    """A state for the table; of one that is unknown also when it was last ready."""
    return f"{state} (last ready {ready:.0f} s ago)" if state == "unknown" and ready is not None else state


def waits_for(names: Sequence[str]) -> str:
    """Whom it waits for."""
    return f"waits for {', '.join(names)}" if names else ""


def ended_with(code: int) -> str:
    """How its portsup ended."""
    return f"portsup ended with exit code {code}"


def ready_on(name: str, node: str, address: str, seconds: float) -> str:
    """Where a service is."""
    return f"{name}: ready on node {node}" + (f", {address}" if address else "") + f" after {seconds:.1f} s"


def not_ready(name: str, state: str, why: str) -> str:
    """What became of a service that is not ready."""
    return f"{name}: {state}" + (f": {why}" if why else "")


def is_up(stack: str, instance: int, seconds: float) -> str:
    """The stack is up."""
    return f"stack `{stack}` instance {instance} is up after {seconds:.1f} s"


def not_here(command: str, why: str, *, is_command: bool = False) -> UsageError:
    """A command, or an option of it, is for one machine."""
    hint = "`--on ''` is this machine, whatever PORTSUP_ON and services.yaml say" if is_command else "leave it out"
    return UsageError(f"cannot use {command} on a cluster", why, hint)


def follow_until() -> UsageError:
    """The future has no end that is known."""
    return UsageError("cannot follow until a moment", "--until is about the past", "leave out one of the two")


def not_kept(found: Mapping[str, Sequence[str]]) -> list[str]:
    """Keys that change nothing on a cluster; by key the services that say them, none for one of the stack."""
    return [
        f"`{key}`{_of(services)} has no effect on a cluster: {_WITHOUT_EFFECT[key]}" for key, services in found.items()
    ]


def _of(services: Sequence[str]) -> str:
    return f" of {', '.join(services)}" if services else ""


def would_start(stack: str, instance: int) -> str:
    """What follows is only looked at."""
    return f"this is how stack `{stack}` instance {instance} would start; nothing is started"


def place(wanted: Mapping[str, Any]) -> str:
    """Where a service may run."""
    said = [f"{wanted[key]:g} {key}" for key in ("cpus", "gpus") if wanted[key]]
    said += [f"{name}={value}" for name, value in wanted["labels"].items()]
    said += [f"node {wanted['node']}"] if wanted["node"] else []
    return ", ".join([*said, *(["spread"] if wanted["spread"] else [])]) or "any"


def needs(conditions: Mapping[str, str]) -> str:
    """Whom a service waits for, and for what."""
    return ", ".join(f"{name} {condition}" for name, condition in conditions.items())
