"""What is said of a program that cannot be run, whether a service, `exec` or `lease` wanted it."""

import errno
import os
from pathlib import Path

import pytest

from supervisor.errors import SpawnError
from supervisor.process import executable
from supervisor.process.executable import explain, find, no_working_dir

KEYS = ("`command`", "`command:", "`working_dir`", "`portsup up`")


def problems(folder: Path) -> list[SpawnError]:
    """One of each kind."""
    (folder / "folder").mkdir()
    found = [no_working_dir("x", str(folder / "none"))]
    for name in ("", "./none", "./folder", "surely-not-there"):
        with pytest.raises(SpawnError) as raised:
            find(name, {"PATH": str(folder)}, str(folder))
        found.append(raised.value)
    return [*found, *(explain(code, "x", str(folder / "x"), 9) for code in (errno.ENOEXEC, errno.EMFILE, errno.EAGAIN))]


def test_hints_name_no_keys_that_a_command_line_has_not(tmp_path: Path) -> None:
    told = [f"{problem.hint}" for problem in problems(tmp_path)]
    assert all(told)
    assert [hint for hint in told for key in KEYS if key in hint] == []


def test_a_path_that_leads_nowhere_is_told_with_where_it_is_seen_from(tmp_path: Path) -> None:
    with pytest.raises(SpawnError) as raised:
        find("./none", {}, str(tmp_path))
    assert str(tmp_path) in raised.value.hint


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOMEM])
def test_a_file_that_cannot_be_looked_at_is_not_taken_for_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "stat", refuse)
    with pytest.raises(SpawnError) as caught:
        find("./there", {}, str(tmp_path))
    assert "there is no file" not in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)  # so that the service is started again


def test_a_similar_program_is_looked_for_among_so_many_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[set[str]] = []

    def counted(name: str, known: set[str], least: float) -> str:
        looked.append(known)
        return ""

    monkeypatch.setattr(executable, "likely", counted)
    monkeypatch.setattr(executable, "MOST_PROGRAMS", 10)
    for number in range(50):
        (tmp_path / f"program-{number}").touch()
    with pytest.raises(SpawnError):
        find("program", {"PATH": f"{tmp_path / 'none'}{os.pathsep}{tmp_path}"}, os.fspath(tmp_path))
    assert [len(known) for known in looked] == [10]
