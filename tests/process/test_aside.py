import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from supervisor.errors import ConfigError, Problem
from supervisor.process.aside import Aside

pytestmark = pytest.mark.live


def _answer(question: Callable[[], Any]) -> Any:
    asked = Aside(question)
    try:
        return asked.answer()
    finally:
        asked.wait()


def test_a_child_gives_the_answer() -> None:
    here = os.getpid()
    assert _answer(lambda: (os.getpid() != here, os.getppid() == here)) == (True, True)


def test_what_is_wrong_is_raised_here_with_all_that_belongs_to_it() -> None:
    def question() -> None:
        raise ConfigError("cannot use it", [Problem("f", 1, 2, "no", "hint")], "why", "do")

    with pytest.raises(ConfigError) as raised:
        _answer(question)
    assert (raised.value.what, raised.value.why, raised.value.hint) == ("cannot use it", "why", "do")
    assert raised.value.problems == (Problem("f", 1, 2, "no", "hint"),)


def test_what_nobody_foresaw_happens_here_again() -> None:
    with pytest.raises(ZeroDivisionError):
        _answer(lambda: 1 // 0)


def test_a_child_that_is_killed_is_no_trouble() -> None:
    here = os.getpid()

    def question() -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return 7

    assert _answer(question) == 7


def test_without_a_process_to_be_had_it_is_worked_out_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    asked = Aside(os.getpid)
    monkeypatch.undo()
    assert asked.answer() == os.getpid()
    asked.wait()


def test_an_answer_may_be_used_before_the_child_is_gone() -> None:
    asked = Aside(lambda: 7)
    assert asked.answer() == 7
    asked.wait()
    asked.wait()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_long_answer_is_read_whole() -> None:
    assert _answer(lambda: "x" * 1_000_000) == "x" * 1_000_000
