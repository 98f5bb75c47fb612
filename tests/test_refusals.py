"""What the system refuses is told in words, with what to do about it, and is no mistake of portsup's."""

import errno
import os

import pytest

from supervisor.errors import REFUSALS, refusal


@pytest.mark.parametrize("number", REFUSALS)
def test_a_refusal_of_the_system_is_told_with_what_to_do(number: int) -> None:
    told = refusal(OSError(number, os.strerror(number)), "cannot do it")
    assert told is not None
    assert str(told) == f"cannot do it: {os.strerror(number).lower()}"
    assert told.hint
    assert told.exit_code == 1


def test_it_names_the_file_if_there_is_one() -> None:
    told = refusal(OSError(errno.EMFILE, "Too many open files", "/etc/services"))
    assert told is not None
    assert told.why == "`/etc/services`: too many open files"
    assert "ulimit -n" in told.hint


def test_no_memory_is_one() -> None:
    assert str(refusal(MemoryError(), "cannot do it")) == "cannot do it: not enough memory"


@pytest.mark.parametrize("error", [ValueError("x"), FileNotFoundError(errno.ENOENT, "x"), OSError(errno.EBADF, "x")])
def test_all_else_is_a_mistake(error: Exception) -> None:
    assert refusal(error) is None
