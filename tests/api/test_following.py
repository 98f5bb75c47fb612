"""A stack that is followed while it comes, changes, dies and comes again."""

import errno
import os
import queue
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.api.following import Following
from tests.live.stack import SLEEPS, Live
from tests.support.eventually import eventually

pytestmark = pytest.mark.live


class Told:
    """A following in a thread, and what it tells."""

    def __init__(self, live: Live) -> None:
        self.news: queue.Queue[Any] = queue.Queue()
        self.following = Following(lambda: next(iter(live.infos()), None), self.news.put, events=True)
        self.thread = threading.Thread(target=self.following.run, daemon=True)
        self.thread.start()

    def until_ended(self) -> str:
        while self.news.get(timeout=20) is not None:
            pass
        assert self.following.ended is not None
        return self.following.ended.why

    def state(self, name: str) -> str | None:
        row = self.following.picture.services.get(name)
        return row.state if row and self.following.ended is None else None


@pytest.fixture
def live(own_folders: Path) -> Iterator[Live]:
    stack = Live(own_folders / "p", {"job": SLEEPS})
    yield stack
    stack.end()


@pytest.fixture
def told(live: Live) -> Iterator[Told]:
    made = Told(live)
    yield made
    made.following.close()
    made.thread.join(5)
    assert not made.thread.is_alive()


def test_it_comes_back_by_itself_and_keeps_the_last_picture(live: Live, told: Told) -> None:
    assert told.until_ended() == "it is not running"
    live.run("up", "-d")
    eventually(lambda: told.state("job") == "running")

    run = told.following.picture.run
    os.kill(live.daemon(), signal.SIGKILL)
    assert told.until_ended() == "portsup ended without a word, as after SIGKILL"
    assert told.following.picture.services["job"].state == "running"
    live.ended()

    live.run("up", "-d")
    eventually(lambda: told.state("job") == "running")
    assert told.following.picture.run != run
    live.run("down")
    assert told.until_ended() == "it was stopped"


def test_a_daemon_that_is_stopped_is_told(live: Live, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.api.following._QUIET", 0.05)
    monkeypatch.setattr("supervisor.api.following._PATIENCE", 0.5)
    told.until_ended()
    live.run("up", "-d")
    eventually(lambda: told.state("job") == "running")
    pid = live.daemon()
    os.kill(pid, signal.SIGSTOP)
    try:
        assert "was silent" in told.until_ended()
    finally:
        os.kill(pid, signal.SIGCONT)
    eventually(lambda: told.state("job") == "running")


def test_what_goes_wrong_is_told_and_it_goes_on() -> None:
    """A thread that ended would leave a picture that looks as if somebody still told of the stack."""
    troubles = [OSError(errno.EMFILE, os.strerror(errno.EMFILE)), KeyError("web"), None]
    news: queue.Queue[Any] = queue.Queue()

    def find() -> None:
        if (trouble := troubles.pop(0) if troubles else None) is not None:
            raise trouble

    following = Following(find, news.put)
    thread = threading.Thread(target=following.run, daemon=True)
    thread.start()
    assert news.get(timeout=20) is None
    assert following.ended is not None
    assert following.ended.why == "portsup cannot follow it: too many open files"
    eventually(lambda: not troubles)
    following.close()
    thread.join(5)
    assert not thread.is_alive()
