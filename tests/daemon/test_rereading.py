"""A changed services.yaml is read by a child, and comes back whole."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from supervisor.config import load
from supervisor.config.changes import Difference
from supervisor.config.difference import difference
from supervisor.config.load import load_asked
from supervisor.config.spec import StackSpec
from supervisor.daemon.processes.inquiries import Inquiries
from supervisor.daemon.stack import rereading
from supervisor.daemon.stack.rereading import read_again
from supervisor.errors import ConfigError, PortsupError

pytestmark = pytest.mark.live

ONE = (
    "name: t\nservices:\n  web: {command: sleep 1, environment: {A: 1}, pool: 21000-21002}\n  db: {command: sleep 2}\n"
)
OTHER = ONE.replace("sleep 1", "sleep 3") + "  new: {command: sleep 4, depends_on: [db], ready: {log: 'a+'}}\n"


class Asking:
    """A stack in a file, and what it is when that is read again."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.asked = (os.fspath(file),)
        self.pids: list[int] = []
        self.different = Difference()
        file.write_text(ONE)
        self.old = load_asked(self.asked, os.environ)

    def again(self, text: str) -> StackSpec:
        self.file.write_text(text)

        async def main() -> tuple[StackSpec, Difference]:
            inquiries = Inquiries(asyncio.get_running_loop(), lambda pid, _: self.pids.append(pid))
            return await read_again(inquiries, self.old, self.asked)

        try:
            new, self.different = asyncio.run(main())
            return new
        finally:
            for pid in self.pids:
                os.waitpid(pid, 0)
            self.pids.clear()


@pytest.fixture
def asking(tmp_path: Path) -> Asking:
    return Asking(tmp_path / "services.yaml")


def test_it_is_as_if_it_was_read_here(asking: Asking) -> None:
    new = asking.again(OTHER)
    assert new == load_asked(asking.asked, os.environ)
    assert list(new.services) == ["web", "db", "new"]
    assert new.services["db"] is asking.old.services["db"], "what is the same does not come twice"
    assert asking.different == difference(asking.old, new)
    assert asking.different.added == ("new",)
    assert asking.again(ONE) == asking.old
    assert not asking.different


def test_it_is_read_in_another_process(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any) -> None:
        raise PortsupError(str(os.getpid()))

    monkeypatch.setattr(load, "load_asked", read)
    with pytest.raises(PortsupError) as raised:
        asking.again(ONE)
    assert raised.value.what not in (str(os.getpid()), "")


def test_mistakes_come_back_with_their_places(asking: Asking) -> None:
    with pytest.raises(ConfigError) as raised:
        asking.again(ONE.replace("command: sleep 2", "comand: sleep 2"))
    assert next((each.line, each.hint) for each in raised.value.problems) == (4, "did you mean `command`?")


def test_what_the_system_refuses_is_said_and_ends_nothing(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(load, "load_asked", read)
    with pytest.raises(PortsupError, match=r"cannot read `services\.yaml` again: Input/output error"):
        asking.again(ONE)


def test_without_a_process_to_be_had_it_is_refused(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    with pytest.raises(PortsupError, match="no process could be started for it"):
        asking.again(ONE)


def test_a_mistake_of_ours_is_not_hidden(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(load, "load_asked", read)
    with pytest.raises(ZeroDivisionError):
        asking.again(ONE)


def test_another_portsup_in_the_place_of_this_one_is_told_apart(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rereading, "_INSTALLED", (1, 2))
    with pytest.raises(PortsupError, match="somebody has replaced the files of portsup"):
        asking.again(ONE)
