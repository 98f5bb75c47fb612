"""The names of the services: tells the proxy where each of them is, and sees to it that there is a proxy.

The proxy is a stack of its own, one for each port and user, which a short-lived child of ours starts where there is
none.  It ends by itself with the last stack that needs it, so it is left alone when this one ends.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any, Protocol

from supervisor.core.hostnames import Names, domain_of, host_of, name_url
from supervisor.core.journal import NamesFailed, NamesServed
from supervisor.core.journal.event import Event
from supervisor.core.service import Service
from supervisor.core.state import State
from supervisor.daemon.instance import Instance
from supervisor.daemon.processes.reaper import Reaper
from supervisor.daemon.service.slot import Slot
from supervisor.errors import refusal
from supervisor.files.opening import explained
from supervisor.logs.state_dir import state_directory
from supervisor.ports.name_places import NamePlaces
from supervisor.system.pipes import open_pipe
from supervisor.words import naming

REACHED = (State.RUNNING, State.IDLE)  # in other states the proxy asks, and has the client wait
LONGEST_PAUSE = 32  # rounds between two attempts
_ANSWER = 1 << 16  # bytes
_KEPT = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "TMPDIR", "USER")


class Surroundings(Protocol):
    """What the services are in."""

    def tell(self, event: Event, /) -> object: ...
    def status_changed(self, name: str, /) -> None: ...


class ServiceNames:
    """The names of the services of one instance."""

    def __init__(self, slots: Mapping[str, Slot], instance: Instance, reaper: Reaper, around: Surroundings) -> None:
        self._slots, self._instance, self._reaper, self._around = slots, instance, reaper, around
        self._names: Names | None = None
        self._places = NamePlaces(instance.runtime.path, 0)
        self._is_served = False
        self._is_asking = False
        self.is_told = asyncio.Event()  # whether there are any
        self._pause, self._left = 1, 0  # rounds
        self._told: tuple[str, str] | None = None  # why there are none
        self._shown: dict[str, tuple[str, str]] = {}  # by service what the proxy was told

    def configure(self, names: Names | None) -> None:
        """What a services.yaml asks for."""
        if names != self._names:
            self._withdraw()
            self._names, self._told, self._left, self._pause = names, None, 0, 1
            self._places = NamePlaces(self._instance.runtime.path, 0 if names is None else names.port)
        self.look()

    def look(self) -> None:
        """Sees to it that there is a proxy, and that it knows where the services are."""
        if self._names is None or self._is_asking:
            return
        if self._is_served and self._places.is_running():
            self._place_all()
        elif self._left > 0:
            self._left -= 1
        else:
            self._ask(self._names)

    def changed(self, before: Service, after: Service) -> None:
        """A service may be reached now, or no longer; told before its process is asked to end."""
        if self._is_served:
            slot = self._slots.get(after.name)
            self._place(after.name if slot is None else slot.of)

    def close(self) -> None:
        """The names lead nowhere any more."""
        self._withdraw()
        self._names = None

    def _place_all(self) -> None:
        services = [name for name, slot in self._slots.items() if slot.number == 1]
        for name in (*services, *(self._shown.keys() - set(services))):
            self._place(name)

    def _place(self, name: str) -> None:
        slot, shown = self._slots.get(name), self._shown.get(name)
        wanted = None if slot is None or self._names is None else self._place_of(slot)
        if slot is not None and self._names is not None:
            self._show(slot, self._names)
        if shown == wanted:
            return
        try:
            if wanted is not None:
                self._places.put(*wanted, self._instance.run_id)
                self._shown[name] = wanted
            if shown is not None:
                self._places.drop(*shown)
        except OSError as error:  # the proxy asks, then
            self._shown.pop(name, None)
            self._fail(explained(error), (found.hint if (found := refusal(error)) else ""))
        if wanted is None:
            self._shown.pop(name, None)

    def _place_of(self, slot: Slot) -> tuple[str, str] | None:
        """Where a service can be reached, by whichever of its replicas."""
        found = (each.service.port for each in slot.replicas if each.service.state in REACHED)
        port = next((port for port in found if port is not None), None)
        if port is None:
            return None
        host = f"[{slot.host}]" if ":" in slot.host else slot.host
        return self._host_of(slot), f"{host}:{port}"

    def _host_of(self, slot: Slot) -> str:
        return host_of(slot.of, self._instance.stack, self._instance.number)

    def _show(self, slot: Slot, names: Names) -> None:
        url = name_url(self._host_of(slot), names.port, https=names.https) if self._is_served and slot.pool else ""
        for each in slot.replicas:
            if each.name_url != url:
                each.name_url = url
                self._around.status_changed(each.spec.name)

    def _withdraw(self) -> None:
        self._is_served = False
        for each in self._shown.values():
            self._places.drop(*each)
        self._shown.clear()
        for slot in self._slots.values():
            if slot.name_url:
                slot.name_url = ""
                self._around.status_changed(slot.spec.name)

    def _ask(self, names: Names) -> None:
        """Starts the child that has the proxy run and know of us; it says in one line how that went."""
        if not hasattr(os, "posix_spawn"):
            self._answer({"why": naming.NO_SYSTEM})
            return
        task = {
            "port": names.port, "https": names.https, "stack": self._instance.stack, "instance": self._instance.number,
            "run": self._instance.run_id, "runtime": self._instance.runtime.path, "state": state_directory(),
        }  # fmt: skip
        argv = [sys.executable, "-P", "-m", "supervisor.names", "have", json.dumps(task)]
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        source = sink = null = -1
        try:
            source, sink = open_pipe()
            os.set_blocking(source, False)
            null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            streams = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, sink, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
            # By no way that marks it as a process of this run: what it starts is not to end with this run.
            pid = os.posix_spawn(
                sys.executable, argv, environment, file_actions=streams, setsid=True, setsigmask=(),
                setsigdef=(signal.SIGPIPE, signal.SIGINT),
            )  # fmt: skip
        except OSError as error:
            if source >= 0:
                os.close(source)
            self._answer({"why": explained(error), "hint": ""})
            return
        finally:
            for descriptor in (sink, null):
                if descriptor >= 0:
                    os.close(descriptor)
        self._is_asking = True
        self._reaper.watch(pid, lambda _: self._answered(source, names))

    def _answered(self, source: int, names: Names) -> None:
        self._is_asking = False
        try:
            data = os.read(source, _ANSWER)
        except BlockingIOError:
            data = b""
        finally:
            os.close(source)
        told: dict[str, Any] = {"why": naming.NO_ANSWER, "hint": naming.TRIES_AGAIN}
        with contextlib.suppress(ValueError):
            told = json.loads(data)
        if names == self._names:
            self._answer(told)
        else:
            self.look()

    def _answer(self, told: Mapping[str, Any]) -> None:
        self.is_told.set()
        if self._names is None:
            return
        if told.get("ok") is True:
            was_served, self._is_served = self._is_served, True
            self._told, self._pause, self._left = None, 1, 0
            if was_served:  # and the proxy is another one
                self._shown.clear()
            self._place_all()
            if not was_served:
                host = f"SERVICE.{domain_of(self._instance.stack, self._instance.number)}"
                self._around.tell(NamesServed(url=name_url(host, self._names.port, https=self._names.https)))
            return
        self._withdraw()
        self._left, self._pause = self._pause, min(LONGEST_PAUSE, 2 * self._pause)
        self._fail(str(told.get("why", "")), str(told.get("hint", "")))

    def _fail(self, why: str, hint: str) -> None:
        if self._told != (why, hint):  # told once
            self._told = why, hint
            self._around.tell(NamesFailed(why=why, hint=hint or None))
