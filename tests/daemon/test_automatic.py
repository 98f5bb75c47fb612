"""What happens by itself where the system has no descriptor left for it: that is said, and the stack goes on."""

import asyncio
import errno
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from supervisor.config.spec import Watch
from supervisor.core.hostnames import Names
from supervisor.core.journal.event import Event
from supervisor.core.notices import Notify
from supervisor.daemon.automatic.names import ServiceNames
from supervisor.daemon.automatic.notices import Notices
from supervisor.daemon.automatic.watches import Watches


class Around:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Event] = []

    def tell(self, event: Event) -> None:
        self.told.append(event)

    def status_changed(self, name: str) -> None:
        pass

    restart = status_changed


def open_now() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@pytest.fixture
def one_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are descriptors for one pipe, and no more."""
    pipes = [os.pipe]

    def pipe() -> tuple[int, int]:
        if not pipes:
            raise OSError(errno.EMFILE, "too many open files")
        return pipes.pop()()

    monkeypatch.setattr(os, "pipe", pipe)


def none(*_: object, **__: object) -> Any:
    raise OSError(errno.EMFILE, "too many open files")


def test_files_are_watched_later(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    around, watched = Around(), SimpleNamespace(watch=Watch(), working_dir=tmp_path)

    async def scene() -> None:
        watches = Watches({}, asyncio.get_running_loop(), cast(Any, around), cast(Any, None), cast(Any, None))
        monkeypatch.setattr(os, "pipe", none)
        for _ in range(2):  # the second time by the next round
            watches.configure({"web": cast(Any, watched)})
            watches.look()
            task = watches._watcher
            assert task is not None
            await task
            assert watches._watcher is None

    asyncio.run(scene())
    assert [event.facts["why"] for event in around.told] == ["too many open files"]


def test_a_change_that_is_heard_while_the_watch_ends_is_none(tmp_path: Path) -> None:
    around = Around()
    watches = Watches({}, cast(Any, None), cast(Any, around), cast(Any, None), cast(Any, None))
    watches._heard({"changed": {"web": ["a.py"]}})
    assert (watches._settling, around.told) == ({}, [])


def test_a_notice_that_cannot_be_sent_is_an_event(one_pipe: None) -> None:
    around = Around()

    async def scene() -> None:
        notices = Notices("shop", "/", asyncio.get_running_loop(), around, cast(Any, None))
        before = open_now()
        await notices._deliver(Notify(to=("desktop",)), {"title": "t", "body": "b", "type": "failure"})
        assert open_now() == before

    asyncio.run(scene())
    assert [event.facts["why"] for event in around.told] == ["too many open files"]


def test_names_are_asked_for_later(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    around, pairs = Around(), []

    def pipe() -> tuple[int, int]:
        pairs.append(os.pipe())
        return pairs[-1]

    monkeypatch.setattr("supervisor.daemon.automatic.names.open_pipe", pipe)
    instance = SimpleNamespace(stack="shop", number=1, run_id="run", runtime=SimpleNamespace(path=str(tmp_path)))
    names = ServiceNames({}, cast(Any, instance), cast(Any, None), cast(Any, around))
    before = open_now()
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", none)
        names.configure(Names())
    assert (len(pairs), open_now()) == (1, before)
    assert [event.facts["why"] for event in around.told] == ["too many open files"]
