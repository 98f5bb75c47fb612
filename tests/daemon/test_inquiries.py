"""Questions that children answer while the loop goes on."""

import errno
import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.daemon.processes.inquiries import MOST, Inquiries
from supervisor.daemon.single.poller import Poller
from tests.support.eventually import eventually

pytestmark = pytest.mark.live


class Asking:
    """A loop, inquiries, and the answers that came."""

    def __init__(self) -> None:
        self.loop = Poller()
        self.children: dict[int, Any] = {}
        self.inquiries = Inquiries(self.loop, self.children.__setitem__)
        self.answers: list[Any] = []

    def until(self, count: int) -> list[Any]:
        """The answers, once there are so many; every child that has ended is reaped."""
        while len(self.answers) < count:
            self.loop.turn()
        self.reap()
        return self.answers

    def reap(self) -> bool:
        """Whether no child is left."""
        for pid in tuple(self.children):
            if os.waitpid(pid, os.WNOHANG)[0]:
                self.children.pop(pid)(0)
        return not self.children


@pytest.fixture
def asking() -> Iterator[Asking]:
    made = Asking()
    yield made
    made.inquiries.close()
    for pid in made.children:
        os.waitpid(pid, 0)


def test_an_answer_comes_later_and_from_another_process(asking: Asking) -> None:
    asking.inquiries.ask(lambda: [os.getpid(), os.getppid(), "ü" * 200_000], asking.answers.append)
    assert asking.answers == []
    (answer,) = asking.until(1)
    assert answer[0] in asking.children or answer[0] != os.getpid()
    assert answer[1:] == [os.getpid(), "ü" * 200_000]


def test_a_mistake_and_a_death_give_no_answer_and_end_nobody_else(asking: Asking) -> None:
    asking.inquiries.ask(lambda: 1 // 0, asking.answers.append)
    assert asking.until(1) == [None]
    asking.inquiries.ask(lambda: os.kill(os.getpid(), signal.SIGKILL), asking.answers.append)
    assert asking.until(2) == [None, None]
    asking.inquiries.ask(lambda: 7, asking.answers.append)
    assert asking.until(3) == [None, None, 7]


def test_a_kernel_that_cannot_tell_of_the_answer_is_asked_again(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_reader, refused = asking.loop.add_reader, []

    def refuse(descriptor: int, callback: Callable[[], object]) -> None:
        refused.append(descriptor)
        if len(refused) < 3:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        add_reader(descriptor, callback)

    monkeypatch.setattr(asking.loop, "add_reader", refuse)
    asking.inquiries.ask(lambda: 7, asking.answers.append)
    assert asking.until(1) == [7]
    assert len(refused) == 3


def test_who_takes_too_long_is_killed(asking: Asking) -> None:
    asking.inquiries.ask(signal.pause, asking.answers.append, within=0.05)
    assert asking.until(1) == [None]
    eventually(asking.reap)


def test_only_so_many_work_at_a_time_and_the_others_come_after_them(asking: Asking) -> None:
    for number in range(MOST + 3):
        asking.inquiries.ask(lambda number=number: number, asking.answers.append)  # type: ignore[misc]
    assert len(asking.children) == MOST
    assert sorted(asking.until(MOST + 3)) == list(range(MOST + 3))


def test_a_child_has_none_of_our_descriptors(asking: Asking, tmp_path: Path) -> None:
    """A lock that a child has open as well would outlive us."""
    with open(tmp_path / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        asking.inquiries.ask(lambda: sorted(os.listdir("/proc/self/fd")), asking.answers.append)
        (there,) = asking.until(1)
        assert str(file.fileno()) not in there
        assert len(there) <= 2  # where the answer goes, and the folder itself
        with open(tmp_path / "lock") as again, pytest.raises(BlockingIOError):
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_closed_worker_answers_nobody_and_leaves_no_process(asking: Asking) -> None:
    for _ in range(MOST + 1):
        asking.inquiries.ask(signal.pause, asking.answers.append)
    asking.inquiries.close()
    pids = list(asking.children)
    for pid in pids:
        assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
    asking.children.clear()
    assert asking.answers == []


def test_a_child_that_was_reaped_is_not_killed_any_more(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """By then its pid may be that of a stranger."""
    asking.inquiries.ask(lambda: 1, asking.answers.append)
    eventually(asking.reap)
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append(pid))
    assert asking.until(1) == [1]
    assert killed == []


def test_no_process_to_be_had_is_no_answer(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise OSError("no more processes")

    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "fork", refuse)
    asking.inquiries.ask(lambda: 1, asking.answers.append)
    assert asking.until(1) == [None]
    assert len(os.listdir("/proc/self/fd")) == before
