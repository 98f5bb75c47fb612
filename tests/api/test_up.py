"""Bringing a stack up from a program."""

import errno
import os
import tempfile
from pathlib import Path

import pytest

from supervisor.api.project import Project
from supervisor.errors import PortsupError


@pytest.mark.parametrize(("number", "hint"), [(errno.ENOSPC, "room"), (errno.ENOENT, "TMPDIR")])
def test_no_room_for_what_it_says_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, hint: str
) -> None:
    def refuse() -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(PortsupError, match="cannot start the stack: no temporary file") as refused:
        Project(tmp_path).up()
    assert hint in refused.value.hint
