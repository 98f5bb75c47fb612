"""Who has which service of a stack, and how each is: one actor, which Ray starts again when it is gone.

What it must not forget is in the memory of the cluster itself.  Another registry may have begun while this one was cut
off, so it looks there every second whether it is still the one, and answers nobody when it cannot know.
"""

import contextlib
import json
import threading
import time
import traceback
from collections.abc import Mapping
from typing import Any

from supervisor.cluster import engine
from supervisor.cluster.agent import Agent
from supervisor.cluster.clock import now
from supervisor.core.placement import SURE, Book, Holding
from supervisor.dataclass import fields
from supervisor.words import cluster as words

_LOOK_EVERY = 1.0  # seconds
_PASSING = ("uptime_s",)  # what is no news in a row


class Registry:
    """The registry of one stack."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self._plan = plan
        self._name = engine.registry_name(plan["stack"], plan["instance"])
        self._me = engine.new_holder()
        self._lock = threading.Lock()
        self._book = Book(plan["lease"], {})
        self._table: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, float] = {}
        self._ready: dict[str, float] = {}
        self._version = 1
        self._nodes: list[dict[str, Any]] = []
        self._is_ending = False
        self._trouble: dict[str, str] = {}  # by node why it has no agent
        begun = now()
        engine.keep(f"{self._name}!registry", self._me.encode())
        self._recall()
        self._sure_until = begun + SURE
        threading.Thread(target=self._watch, daemon=True).start()
        threading.Thread(target=self._send_agents, daemon=True).start()

    def plan(self) -> Mapping[str, Any]:
        """What the stack is."""
        return self._plan

    def claim(self, service: str, holder: str, node: str, address: str, version: str) -> dict[str, Any]:
        """`epoch` if the keeper may run the service, and how the others are; `ok` is False where nobody can know."""
        if not self._is_sure():
            return {"ok": False}
        if version != self._plan["version"]:
            reason = words.other_version(self._plan["version"], version)
            with self._lock:
                self._note(service, {"node_id": node, "state": "failed", "reason": reason, "row": None})
            return {"ok": True, "epoch": None}
        self._ask_there(service, holder)
        with self._lock:
            book, holding = self._book.claim(service, holder, node, now(), time.time())
            if holding is None:
                return {"ok": True, "epoch": None}
            self._remember(service, holding)
            if not self._is_still_me():
                return {"ok": False}
            self._book = book
            self._seen[service] = now()
            self._note(service, {"node_id": node, "address": address, "epoch": holding.epoch})
            return {"ok": True, "epoch": holding.epoch, "version": self._version, "table": self._told()}

    def beat(self, service: str, holder: str, epoch: int, facts: Mapping[str, Any], known: int) -> dict[str, Any]:
        """A longer lease, with how the others are if that is not `known`; not `ok` where somebody else has it."""
        if not self._is_sure():
            return {"ok": None}
        with self._lock:
            self._book, holding = self._book.renew(service, holder, epoch, now())
            if holding is None:
                return {"ok": False}
            self._seen[service] = now()
            if facts.get("state") == "running":
                self._ready[service] = now()
            self._note(service, facts)
            return {"ok": True, "version": self._version, "table": self._news(known)}

    def over(self, service: str, epoch: int) -> None:
        """Nothing of this epoch runs any more."""
        with self._lock:
            self._book = self._book.over(service, epoch)
            with contextlib.suppress(engine.Unreachable, KeyError):
                self._remember(service, self._book.held[service])

    def table(self, known: int) -> dict[str, Any]:
        """How the services are, if that is not `known`."""
        with self._lock:
            return {"version": self._version, "table": self._news(known), "is_ending": self._is_ending}

    def status(self) -> dict[str, Any]:
        """How the services are, with how many seconds ago each was heard of, and was ready."""
        with self._lock:
            moment = now()
            return {
                name: {
                    **self._table.get(name, {}),
                    "node": self._node_of(name),
                    "heard_s": moment - self._seen[name] if name in self._seen else None,
                    "ready_s": moment - self._ready[name] if name in self._ready else None,
                }
                for name in self._plan["order"]
            }

    def trouble(self) -> dict[str, str]:
        """Why nodes have no agent yet, by what people call them, "" for all of them."""
        return {node and engine.node_name(node, self._nodes): why for node, why in self._trouble.items()}

    def end(self) -> None:
        """The stack goes down: no more agents, and what was kept is forgotten."""
        self._is_ending = True
        for name in self._plan["order"]:
            engine.forget(f"{self._name}!{name}")
        engine.forget(f"{self._name}!registry")

    def _node_of(self, service: str) -> str:
        node = self._table.get(service, {}).get("node_id", "")
        return engine.node_name(node, self._nodes) if node else ""

    def _note(self, service: str, facts: Mapping[str, Any]) -> None:
        before = self._table.get(service, {})
        after = {**before, **facts, "expose": self._plan["services"][service]["expose"]}
        self._table[service] = after
        if _lasting(before) != _lasting(after):
            self._version += 1

    def _news(self, known: int) -> dict[str, Any] | None:
        return None if known == self._version else self._told()

    def _told(self) -> dict[str, Any]:
        return {name: {**facts, "row": None} for name, facts in self._table.items()}

    def _is_sure(self) -> bool:
        return not self._is_ending and now() < self._sure_until

    def _is_still_me(self) -> bool:
        try:
            return engine.kept(f"{self._name}!registry") == self._me.encode()
        except engine.Unreachable:
            return False

    def _watch(self) -> None:
        raylet = engine.here()[2]
        while not self._is_ending:
            if engine.is_orphan(raylet):
                engine.leave()
            asked = now()
            if self._is_still_me():
                self._sure_until = asked + SURE
            time.sleep(_LOOK_EVERY)

    def _remember(self, service: str, holding: Holding) -> None:
        told = {each.name: getattr(holding, each.name) for each in fields(Holding)}
        engine.keep(f"{self._name}!{service}", json.dumps(told).encode())

    def _recall(self) -> None:
        for service in self._plan["order"]:
            told = engine.kept(f"{self._name}!{service}")
            if told is not None:
                holding = Holding(**json.loads(told))
                if not holding.is_over:
                    self._book = self._book.found_again(service, holding, now())
                    self._table[service] = {"node_id": holding.node, "epoch": holding.epoch}

    def _ask_there(self, service: str, holder: str) -> None:
        """Lets the agent of its last node say whether the service still runs there: it is quicker than the lease."""
        found = self._book.held.get(service)
        if found is None or found.holder == holder or found.is_free(now()):
            return
        with contextlib.suppress(engine.Unreachable):
            agent = engine.find(engine.agent_name(self._plan["stack"], self._plan["instance"], found.node))
            if engine.ask(agent, "is_over", service, found.epoch, timeout=1.0):
                self.over(service, found.epoch)

    def _send_agents(self) -> None:
        """Has an agent on each node, also on those that come later."""
        there: set[str] = set()
        while not self._is_ending:
            self._trouble = self._send_to_new(there)
            time.sleep(_LOOK_EVERY)

    def _send_to_new(self, there: set[str]) -> dict[str, str]:
        """Why nodes have no agent yet, by their ids, "" for all: what is wrong with one keeps no other from its own."""
        found: dict[str, str] = {}
        try:
            self._nodes = engine.nodes()
        except Exception as error:  # of Ray, whose head is just gone, or a mistake of ours
            return {"": self._noted("", error)}
        for node in {each["NodeID"] for each in self._nodes} - there:
            try:
                engine.make_agent(Agent, self._plan, node)
                there.add(node)
            except Exception as error:
                found[node] = self._noted(node, error)
        return found

    def _noted(self, node: str, error: Exception) -> str:
        """What went wrong, in words; the first time with its traceback in the logs of Ray."""
        told = words.last_line(f"{type(error).__name__}: {error}")
        if self._trouble.get(node) != told:
            traceback.print_exception(error)
        return told


def _lasting(facts: Mapping[str, Any]) -> dict[str, Any]:
    row = {key: value for key, value in (facts.get("row") or {}).items() if key not in _PASSING}
    return {**facts, "row": row}
