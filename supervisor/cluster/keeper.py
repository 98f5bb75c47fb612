"""Runs one service wherever Ray has put this actor, for as long as the registry lets it."""

import contextlib
import os
import threading
import time
import traceback
from collections.abc import Mapping
from typing import Any

from supervisor.cluster import engine
from supervisor.cluster.clock import now
from supervisor.cluster.local import Local
from supervisor.cluster.view import Table, document, missing, place_of, process_of, seen_from
from supervisor.core.placement import BEAT, Timing
from supervisor.errors import ExitCode, PortsupError
from supervisor.words import cluster as words

_CLAIM_AGAIN = 0.3  # seconds
_START_AGAIN = 1.0  # seconds after `portsup up` ended as it should not
# How `portsup up` ends when a new attempt would end the same way.
_FINAL = (
    ExitCode.OK, ExitCode.FAILURE, ExitCode.USAGE, ExitCode.NOT_RUNNING, ExitCode.GAVE_UP, ExitCode.POOL_EXHAUSTED,
)  # fmt: skip


class Keeper:
    """The keeper of one service; its methods are called from elsewhere, beside the thread in which it lives."""

    def __init__(self, plan: Mapping[str, Any], name: str) -> None:
        self._plan = plan
        self._part: Mapping[str, Any] = plan["services"][name]
        self._name = name
        self._timing = Timing(plan["lease"], plan["grace"])
        self._holder = engine.new_holder()
        self._node, self._address, self._raylet = engine.here()
        self._pools = {each: part["pool"] for each, part in plan["services"].items()}
        self._local = Local(plan, name)
        self._registry: Any = None
        self._epoch = 0
        self._renewed = 0.0
        self._version = 0
        self._table: Table = {}
        self._seen: dict[str, tuple[Any, ...]] = {}
        self._seen_pid: int | None = None
        self._was_done = False
        self._stopping = threading.Event()
        self._again = threading.Event()
        self._stop_within: float | None = None
        self._acts: threading.Thread | None = None
        self._life = threading.Thread(target=self._live, daemon=True)
        self._life.start()

    def order(self, do: str, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Carries out an order such as `restart`; how it went.  Raises PortsupError."""
        if self._local.is_over:
            if do in ("start", "restart") and self._epoch:
                self._again.set()
                self._local.changed.set()
                return [{"name": self._name, "ok": True, "words": words.STARTING}]
            raise words.not_running_here(self._name)
        return self._local.order(do, **arguments)

    def stop(self, timeout: float | None) -> bool:
        """Stops the service for good; whether nothing of it is left."""
        self._stop_within = timeout
        self._stopping.set()
        self._local.changed.set()
        self._life.join()
        return self._local.is_over

    def _live(self) -> None:
        try:
            while not self._stopping.is_set():
                if engine.is_orphan(self._raylet):  # another keeper has our name by now, or will have it
                    engine.leave()
                if self._claim():
                    self._hold()
                else:
                    self._stopping.wait(_CLAIM_AGAIN)
        except Exception:  # such as a folder that is gone: Ray makes another keeper, and brings the folder again
            traceback.print_exc()
            engine.leave()

    def _claim(self) -> bool:
        asked = now()
        told = self._ask("claim", self._name, self._holder, self._node, self._address, engine.installed())
        if not told or not told.get("epoch"):
            return False
        self._epoch, self._renewed = told["epoch"], asked
        self._version, self._table = told["version"], told["table"]
        return True

    def _hold(self) -> None:
        """From one grant to its end."""
        local = self._local = Local(self._plan, self._name)
        self._was_done = bool(self._table.get(self._name, {}).get("is_done"))  # on another node
        if not self._was_done:
            self._again.set()
        while True:
            if not self._beat():
                break
            if self._stopping.is_set():
                self._end_in_peace()
                break
            if self._again.is_set() and local.is_over and not missing(self._part["needs"], self._table):
                self._again.clear()
                self._was_done = False
                self._begin()
            if local.is_over and local.code is not None and local.code not in _FINAL:
                self._again.set()
                self._stopping.wait(_START_AGAIN)
            else:
                self._act()
                local.changed.wait(BEAT)
                local.changed.clear()
        while not local.is_over:  # the warden ends it, in time
            local.changed.wait(BEAT)
            local.changed.clear()
        self._ask("over", self._name, self._epoch)

    def _begin(self) -> None:
        self._tell_where()
        self._seen = {need: place_of(self._table.get(need, {})) for need in self._part["needs"]}
        host = self._address if self._part["expose"] else ""
        self._local.begin(self._epoch, host, [os.getpid(), self._raylet])
        self._allow()

    def _end_in_peace(self) -> None:
        stopping = threading.Thread(target=self._local.down, args=(self._stop_within,), daemon=True)
        if not self._local.is_over:
            stopping.start()
        while not self._local.is_over and self._beat():
            self._local.changed.wait(BEAT)
            self._local.changed.clear()

    def _beat(self) -> bool:
        """Renews the lease; False when it is lost."""
        if engine.is_orphan(self._raylet):  # the warden sees that, too
            return False
        asked, limit = now(), self._renewed + self._timing.patience
        if asked >= limit:  # we were frozen, and the warden has ended it: only another epoch starts it again
            return False
        told = self._ask("beat", self._name, self._holder, self._epoch, self._facts(), self._version)
        if told is None or told["ok"] is None:  # nobody answers: the lease goes on as long as it goes
            return now() < limit
        if not told["ok"]:
            self._local.allow(now(), self._renewed + self._timing.kill_after)
            return False
        if now() >= limit:
            return False
        self._renewed = asked
        self._allow()
        if told["table"] is not None:
            self._version, self._table = told["version"], told["table"]
            self._tell_where()
        return True

    def _allow(self) -> None:
        self._local.allow(self._renewed + self._timing.patience, self._renewed + self._timing.kill_after)

    def _facts(self) -> dict[str, Any]:
        row = self._local.row
        address = self._address if self._part["expose"] else "127.0.0.1"
        facts = {"node_id": self._node, "address": address, "epoch": self._epoch, "row": row, "reason": ""}
        if row is None or self._local.code is not None:
            return {**facts, **self._without_process()}
        keys = ("state", "reached", "port", "pid", "is_done")
        return {**facts, **{key: row[key] for key in keys}}

    def _without_process(self) -> dict[str, Any]:
        local, code = self._local, 0 if self._was_done else self._local.code
        facts: dict[str, Any] = {"reached": "none", "port": None, "pid": None, "is_done": False, "row": None}
        if code is None:
            late = missing(self._part["needs"], self._table) if local.is_over else []
            return {**facts, "state": "waiting" if local.is_over else "starting", "reason": words.waits_for(late)}
        if code == ExitCode.OK:
            return {**facts, "state": "exited", "is_done": self._part["one_shot"]}
        if code in _FINAL:
            return {**facts, "state": "failed", "reason": local.trouble() or words.ended_with(code)}
        return {**facts, "state": "backoff", "reason": local.trouble() or words.ended_with(code)}

    def _tell_where(self) -> None:
        services = seen_from(self._table, self._node, self._pools)
        with contextlib.suppress(OSError):
            self._local.tell(document(self._plan["stack"], self._plan["instance"], services, self._name))

    def _act(self) -> None:
        """What follows for this service when one that it needs has moved or was started again."""
        row = self._local.row
        pid = None if row is None else row["pid"]
        here = {need: place_of(self._table.get(need, {})) for need in self._part["needs"]}
        ran = {need: process_of(self._table.get(need, {})) for need in self._part["restarts_with"]}
        now_seen = {**here, **{f"{need}!": found for need, found in ran.items()}}
        if pid != self._seen_pid:
            self._seen_pid, self._seen = pid, now_seen
            return
        if pid is None or (self._acts is not None and self._acts.is_alive()):
            return
        up = [need for need in self._part["needs"] if self._table.get(need, {}).get("state") == "running"]
        moved = any(self._seen.get(need) != here[need] for need in up)
        followed = any(self._seen.get(f"{need}!") != ran[need] for need in up if need in ran)
        action, number = self._part["on_port_change"]
        if followed or (moved and action == "restart"):
            self._acts = threading.Thread(target=self._do, args=("restart", {"services": [self._name]}), daemon=True)
        elif moved and action == "signal":
            arguments = {"services": [self._name], "signal": number}
            self._acts = threading.Thread(target=self._do, args=("kill", arguments), daemon=True)
        elif not moved:
            return
        self._seen = now_seen
        if action != "ignore" or followed:
            assert self._acts is not None
            self._acts.start()

    def _do(self, do: str, arguments: Mapping[str, Any]) -> None:
        with contextlib.suppress(PortsupError):
            self._local.order(do, **arguments)

    def _ask(self, method: str, *arguments: Any) -> Any:
        """What the registry answers, None if it does not."""
        try:
            if self._registry is None:
                self._registry = engine.find(engine.registry_name(self._plan["stack"], self._plan["instance"]))
            return engine.ask(self._registry, method, *arguments)
        except engine.Unreachable:
            self._registry = None
            time.sleep(0.05)
            return None
