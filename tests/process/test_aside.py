import os
import signal

import pytest

from supervisor.errors import ConfigError, Problem
from supervisor.process.aside import Aside

pytestmark = pytest.mark.live


def test_a_child_gives_the_answer() -> None:
    here = os.getpid()
    assert Aside(lambda: (os.getpid() != here, os.getppid() == here)).answer() == (True, True)


def test_what_is_wrong_is_raised_here_with_all_that_belongs_to_it() -> None:
    def question() -> None:
        raise ConfigError("cannot use it", [Problem("f", 1, 2, "no", "hint")], "why", "do")

    with pytest.raises(ConfigError) as raised:
        Aside(question).answer()
    assert (raised.value.what, raised.value.why, raised.value.hint) == ("cannot use it", "why", "do")
    assert raised.value.problems == (Problem("f", 1, 2, "no", "hint"),)


def test_what_nobody_foresaw_happens_here_again() -> None:
    with pytest.raises(ZeroDivisionError):
        Aside(lambda: 1 // 0).answer()


def test_a_child_that_is_killed_is_no_trouble() -> None:
    here = os.getpid()

    def question() -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return 7

    assert Aside(question).answer() == 7


def test_without_a_process_to_be_had_it_is_worked_out_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    asked = Aside(os.getpid)
    monkeypatch.undo()
    assert asked.answer() == os.getpid()


def test_a_long_answer_is_read_whole() -> None:
    assert Aside(lambda: "x" * 1_000_000).answer() == "x" * 1_000_000
