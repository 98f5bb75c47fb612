"""A stack on a cluster, as commands see it."""

import contextlib
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from supervisor.api.values import Event, FoundLine, LogQuery, ServiceStatus, Why, as_json
from supervisor.cluster import engine
from supervisor.cluster.keeper import Keeper
from supervisor.cluster.registry import Registry
from supervisor.cluster.view import LATE
from supervisor.control.json_form import read
from supervisor.core.state import ENDED
from supervisor.dataclass import dataclass
from supervisor.errors import PortsupError
from supervisor.words import answers
from supervisor.words import cluster as words

_LOOK_EVERY = 0.2  # seconds
_SLOW = 60.0  # seconds for an answer that has to read files


@dataclass(frozen=True, slots=True)
class Placed:
    """A service on a cluster.

    row: how it is; its state is `unknown` where its node does not answer
    node: what people call its node, "" before it has one
    epoch: the number of its placement; each is greater than the one before
    heard_s: how many seconds ago its node told of it, None if none did
    ready_s: how many seconds ago it was last known to be ready, None if it was not
    """

    row: ServiceStatus
    node: str
    epoch: int | None
    heard_s: float | None
    ready_s: float | None


class Cluster:
    """One stack on the cluster that this process is connected to."""

    def __init__(self, stack: str, instance: int) -> None:
        self.stack, self.instance = stack, instance
        self.silent: dict[str, str] = {}  # nodes that did not tell what they have, and why if that is known

    @classmethod
    def find(cls, stack: str | None, instance: int | None) -> "Cluster":
        """The stack of that name, or the only one; raises NotFound."""
        known = engine.stacks()
        found = [each for each in known if stack in (None, each[0]) and instance in (None, each[1])]
        if len(found) != 1:
            raise words.no_such_stack(stack, known, len(found))
        return cls(*found[0])

    @classmethod
    def make(cls, plan: Mapping[str, Any]) -> "Cluster":
        """Puts a stack on the cluster; raises PortsupError."""
        registry = engine.make_registry(Registry, plan)
        try:
            engine.ask(registry, "plan", timeout=_SLOW)
        except engine.Unreachable as error:
            engine.end(registry)
            raise words.no_registry(plan["stack"], str(error)) from None
        for service in plan["order"]:
            engine.make_keeper(Keeper, plan, service)
        return cls(plan["stack"], plan["instance"])

    @staticmethod
    def require_room(plan: Mapping[str, Any]) -> None:
        """Raises PortsupError if the stack is on the cluster, or a node that it names is not."""
        if (plan["stack"], plan["instance"]) in engine.stacks():
            raise words.already_up(plan["stack"], plan["instance"])
        for name, part in plan["services"].items():
            if part["place"]["node"]:
                engine.find_node(part["place"]["node"], name)

    def plan(self) -> dict[str, Any]:
        """What the stack is."""
        return self._ask_registry("plan")  # type: ignore[no-any-return]

    def status(self) -> list[Placed]:
        """How its services are, in their order."""
        told: dict[str, Any] = self._ask_registry("status")
        return [_placed(name, self.instance, facts) for name, facts in told.items()]

    def wait(self, timeout: float | None, tell: Callable[[Placed], None]) -> list[Placed]:
        """Returns when each is as far as it will come; `tell` hears of each that is."""
        begun, done = time.monotonic(), set[str]()
        while True:
            with contextlib.suppress(PortsupError):
                rows = self.status()
                for each in rows:
                    if each.row.name not in done and has_settled(each):
                        done.add(each.row.name)
                        tell(each)
                if len(done) == len(rows):
                    return rows
            if timeout is not None and time.monotonic() - begun >= timeout:
                raise words.not_up_in_time(timeout, [each.row.name for each in rows if each.row.name not in done])
            time.sleep(_LOOK_EVERY)

    def order(self, do: str, services: Sequence[str], **arguments: Any) -> list[dict[str, Any]]:
        """Carries out an order for each of `services`; how it went."""
        self.check(services)
        return [each for name in services for each in self._order(do, name, arguments)]

    def _order(self, do: str, service: str, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        target = {"service": service} if do == "rotate" else {"services": [service]}
        try:
            keeper = engine.find(engine.keeper_name(self.stack, self.instance, service))
            told: list[dict[str, Any]] = engine.ask_while(
                keeper, "order", do, {**target, **arguments}, is_wanted=lambda: self._is_heard(service)
            )
            return told
        except engine.Unreachable:
            return [{"name": service, "ok": False, "words": words.NODE_SILENT}]
        except PortsupError as error:
            return [{"name": service, "ok": False, "words": str(error)}]

    def logs(self, services: Collection[str], query: LogQuery) -> list[FoundLine]:
        """What these services have written on any node that answers, in the order of time."""
        told = self._from_nodes("logs", list(services), as_json(query), {})
        return sorted((read(FoundLine, line) for part in told for line in part), key=lambda line: line.time)

    def events(self, services: Collection[str], count: int) -> list[Event]:
        """The last events of these services on any node that answers."""
        told = self._from_nodes("events", list(services), count, {})
        found = sorted((read(Event, event) for part in told for event in part), key=lambda event: event.time)
        return found[max(0, len(found) - count) :]

    def why(self, service: str, failures: int, lines: int) -> Why:
        """Why a service went wrong, on the node that has it, else where it has failed most."""
        [placed] = [each for each in self.status() if each.row.name == service]
        told = [read(Why, each) for each in self._from_nodes("why", service, placed.row.state, failures, lines)]
        if not told:
            raise words.no_node_answers(service)
        return max(told, key=lambda each: max((event.time for part in each.chapters for event in part), default=""))

    def down(self, timeout: float | None) -> list[dict[str, Any]]:
        """Stops everything, those first that others do not need, and ends the actors; how it went.

        Without a registry each keeper is told all the same; what it cannot do by then its warden does in time.
        """
        lease = 0.0
        try:
            placed = [(each.row.name, each.node) for each in reversed(self.status())]
            lease = float(self.plan()["lease"])
        except PortsupError:
            placed = [(name, "?") for name in engine.keepers(self.stack, self.instance)]
        results = [self._stop(name, node, timeout, lease) for name, node in placed]
        for node in engine.nodes():
            with contextlib.suppress(engine.Unreachable):
                engine.end(engine.find(engine.agent_name(self.stack, self.instance, node["NodeID"])))
        with contextlib.suppress(engine.Unreachable):
            registry = self._registry()
            with contextlib.suppress(engine.Unreachable):
                engine.ask(registry, "end")
            engine.end(registry)
        return results

    def _stop(self, service: str, node: str, timeout: float | None, lease: float) -> dict[str, Any]:
        """`lease` is how long, in seconds, a keeper may be silent that has its service still; 0 without a registry."""
        try:
            keeper = engine.find(engine.keeper_name(self.stack, self.instance, service))
        except engine.Gone:
            return {"name": service, "ok": True, "words": words.STOPPED}
        except engine.Unreachable:
            return {"name": service, "ok": False, "words": words.ENDS_BY_ITSELF}
        has_stopped = not node  # no node has it yet
        if not has_stopped:
            with contextlib.suppress(engine.Unreachable):
                is_wanted = (lambda: self._may_have(service, node, lease)) if lease else (lambda: False)
                has_stopped = engine.ask_while(keeper, "stop", timeout, is_wanted=is_wanted)
        engine.end(keeper)
        return {"name": service, "ok": has_stopped, "words": words.STOPPED if has_stopped else words.ENDS_BY_ITSELF}

    def _may_have(self, service: str, node: str, lease: float) -> bool:
        """Whether its keeper may have the service still: on a node that Ray takes for alive, as long as its lease is.

        A busy one may be silent for a while, and is there all the same.
        """
        heard = self._heard(service)
        if heard <= LATE or heard > lease:
            return heard <= LATE
        nodes = engine.nodes()
        return node in (engine.node_name(each["NodeID"], nodes) for each in nodes)

    def _is_heard(self, service: str) -> bool:
        """Whether its keeper still tells how it is, so that what it was asked for is on its way."""
        return self._heard(service) <= LATE

    def _heard(self, service: str) -> float:
        """How many seconds ago its keeper told how it is; endless where nobody knows."""
        with contextlib.suppress(PortsupError):
            heard = self._ask_registry("status")[service]["heard_s"]
            return math.inf if heard is None else float(heard)
        return math.inf

    def check(self, services: Collection[str]) -> None:
        """Raises NotFound for a service that there is not."""
        known = self.plan()["order"]
        for name in services:
            if name not in known:
                raise answers.no_service(name, known)

    def is_there(self) -> bool:
        """Whether the stack has not gone down."""
        return (self.stack, self.instance) in engine.stacks()

    def agents(self) -> list[tuple[str, Any]]:
        """The agents of the nodes that Ray takes for alive, by the id of the node."""
        found = []
        for node in engine.nodes():
            with contextlib.suppress(engine.Unreachable):
                name = engine.agent_name(self.stack, self.instance, node["NodeID"])
                found.append((node["NodeID"], engine.find(name)))
        return found

    def _from_nodes(self, method: str, *arguments: Any) -> list[Any]:
        """What the nodes tell, once where several have one state directory."""
        found = {}
        nodes, silent = engine.nodes(), []
        for node in nodes:
            try:
                agent = engine.find(engine.agent_name(self.stack, self.instance, node["NodeID"]))
                told = engine.ask(agent, method, *arguments, timeout=_SLOW)
                found[told["at"]] = told["told"]
            except engine.Unreachable:
                silent.append(engine.node_name(node["NodeID"], nodes))
        self.silent = self._reasons(silent) if silent else {}
        return list(found.values())

    def _reasons(self, silent: Collection[str]) -> dict[str, str]:
        """Why these nodes have no agent, where that is why they are silent."""
        told: dict[str, str] = {}
        with contextlib.suppress(PortsupError):
            told = self._ask_registry("trouble")
        return {node: told.get(node, told.get("", "")) for node in silent}

    def _registry(self) -> Any:
        return engine.find(engine.registry_name(self.stack, self.instance))

    def _ask_registry(self, method: str, *arguments: Any) -> Any:
        try:
            return engine.ask(self._registry(), method, *arguments, timeout=10.0)
        except engine.Unreachable:
            raise words.registry_silent(self.stack, engine.has_head()) from None


def has_settled(each: Placed) -> bool:
    """Whether a service is as far as it will come."""
    return each.row.serves or each.row.state in ENDED or each.row.is_done


def _placed(name: str, instance: int, facts: Mapping[str, Any]) -> Placed:
    heard, ready, row = facts["heard_s"], facts["ready_s"], facts.get("row")
    if row is None:
        state = facts.get("state", "waiting")
        row = {
            "name": name, "instance": instance, "state": state, "status": "inactive", "health": "none", "port": None,
            "url": None, "pid": None, "uptime_s": None, "restarts": 0, "exit_code": None, "result": None, "pool": [],
            "is_done": facts.get("is_done", False), "reason": facts.get("reason") or words.NOT_PLACED
            if state in ("waiting", "failed", "backoff") else "",
        }  # fmt: skip
    if row["url"] is not None and facts.get("expose"):
        from supervisor.core.address import url_of

        row = {**row, "url": url_of(facts["address"], row["port"])}
    if heard is not None and heard > LATE and not row.get("is_done"):
        reason = words.unknown(ready)
        row = {**row, "state": "unknown", "pid": None, "uptime_s": None, "reason": reason, "health": "none"}
    return Placed(read(ServiceStatus, {**row, "instance": instance}), facts["node"], facts.get("epoch"), heard, ready)
