"""The sockets of a machine that is made up, and children of ours that answer questions about it."""

import json
import socket
from collections.abc import Callable, Collection
from typing import Any

import pytest

from supervisor import system
from supervisor.core.reasons import Held
from supervisor.daemon.checks import intruders, listening
from supervisor.dataclass import replace
from supervisor.ports.holders import ConflictKind, Holder
from supervisor.system import Listener

UNSEEN = Holder(ConflictKind.FOREIGN, Held("unseen"))


class Kernel:
    """A made-up table of listening sockets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.listeners: list[tuple[Listener, int]] = []  # with the pid that has it
        self.looks = self.searches = 0
        self.has_many = False
        monkeypatch.setattr(system, "has_many_sockets", lambda: self.has_many)
        monkeypatch.setattr(system, "listening", self._listening)
        monkeypatch.setattr(system, "owners_of", self._owners_of)
        monkeypatch.setattr(
            system, "listening_ports_of",
            lambda pids: {listener.port for listener, pid in self.listeners if pid in pids},
        )  # fmt: skip
        monkeypatch.setattr(system, "process_user", lambda pid: "ada")
        for module in (listening, intruders):
            monkeypatch.setattr(
                module, "who_listens", lambda found, runtime: replace(UNSEEN, why=Held("bound", pid=found.inode))
            )
        monkeypatch.setattr(system, "user_name", lambda uid: "ada")

    def listen(self, port: int, pid: int, inode: int) -> None:
        self.listeners.append((Listener(port, socket.AF_INET, "127.0.0.1", 1000, inode), pid))

    def _listening(self, ports: Collection[int], but: Collection[int] = ()) -> list[Listener]:
        self.looks += 1
        return [each for each, _ in self.listeners if each.port in ports and each.inode not in but]

    def _owners_of(
        self, listeners: Collection[Listener], pids: Collection[int] | None, until: float = 0.0
    ) -> dict[int, int]:
        self.searches += pids is None
        return {
            listener.inode: pid
            for listener, pid in self.listeners
            if listener in listeners and (pids is None or pid in pids)
        }


class Inquiries:
    """Answers at once, or when a test says so."""

    def __init__(self) -> None:
        self.is_slow = False
        self._waiting: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []

    def ask(self, question: Callable[[], Any], answer: Callable[[Any], None]) -> None:
        if self.is_slow:
            self._waiting.append((question, answer))
        else:
            answer(json.loads(json.dumps(question())))

    def work(self) -> int:
        waiting, self._waiting = self._waiting, []
        for question, answer in waiting:
            answer(json.loads(json.dumps(question())))
        return len(waiting)
