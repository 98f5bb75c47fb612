"""Which stack a window is about."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from supervisor.api.following import Ended
from supervisor.api.project import Project
from supervisor.api.values import StackStatus, Update
from supervisor.errors import PortsupError, UsageError
from supervisor.web.app import Page
from supervisor.web.guard import Site
from supervisor.web.keys import Keys
from supervisor.web.windows import Channel, Windows
from tests.tui.test_cells import row


@pytest.mark.parametrize("number", ["x", "", "-1", "9" * 5000], ids=len)
def test_a_number_that_no_instance_can_have_is_told_as_one_that_does_not_run(own_folders: Path, number: str) -> None:
    with pytest.raises(PortsupError, match="no such instance has been running"):
        Windows(Project(own_folders), 1).project(f"shop/{number}")


class Heard:
    """A window that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def tell(self, told: dict[str, Any]) -> None:
        self.told.append(told)


def test_a_stack_that_is_heard_of_again_in_the_same_run_is_told_in_full(own_folders: Path) -> None:
    """As after a while in which its daemon was stopped, which then goes on where it was."""
    channel, heard = Channel(Project(own_folders)), Heard()
    channel.windows.append(heard)  # type: ignore[arg-type]
    following = channel._following
    following.ended = None
    channel._told(Update("run", 1, StackStatus("shop", 1, (row("web"),))))
    assert (heard.told[-1]["full"], heard.told[-1]["ended"]) == (True, None)
    channel._told(Update("run", 2))
    assert "full" not in heard.told[-1]
    following.ended = Ended(1.0, "its process may be stopped")
    channel._told(None)
    assert heard.told[-1]["ended"]["sentence"] == "The stack does not run: its process may be stopped."
    following.ended = None
    channel._told(Update("run", 2))
    assert (heard.told[-1]["full"], heard.told[-1]["ended"]) == (True, None)
    channel._told(Update("run", 3))
    assert "full" not in heard.told[-1]


@pytest.mark.live  # a thread pool
@pytest.mark.parametrize(
    ("error", "status", "why"),
    [
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), 503, "too many open files"),
        (OSError(errno.EACCES, os.strerror(errno.EACCES)), 503, "permission denied"),
        (UsageError("cannot answer", "no"), 400, "no"),
    ],
)
def test_what_the_system_lacks_is_told_in_words(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, why: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("supervisor.web.app.ANSWERS", {"why": fail})
    page = Page(Site(7080), Keys("secret", 7080), Windows(Project(own_folders), 1), read_only=False)
    with TestClient(page.application()) as client:
        answer = client.get("/api/why")
    assert answer.status_code == status
    told = answer.json()["error"]
    assert (told["what"], told["why"], told["usage"]) == ("cannot answer", why, isinstance(error, UsageError))
