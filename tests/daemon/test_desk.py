"""What answers requests is loaded when somebody asks."""

import errno
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.config.stamps import stamps_of
from supervisor.core.journal import ReloadRefused
from supervisor.daemon.requests import commands
from supervisor.daemon.requests.desk import Desk
from supervisor.daemon.stack import reload
from supervisor.errors import PortsupError

ANSWERS = (
    "control.requests",
    "control.connection",
    "control.status",
    "daemon.requests.commands",
    "daemon.stack.reload",
)


class Made:
    """In the place of `Commands`: what it was made with, and what it was asked."""

    def __init__(self, *args: Any) -> None:
        self.reloader = args[3]
        self.asked: list[str] = []

    def handle(self, request: str, _reply: object) -> None:
        self.asked.append(request)

    def changed(self, before: str, after: str) -> None:
        self.asked.append(f"{before} {after}")

    def reload(self) -> None:
        self.asked.append("reload")


class Scene:
    """A desk of a stack in `file`, which tells `events` and waits with `later`."""

    def __init__(self, file: Path) -> None:
        spec: Any = SimpleNamespace(files=(file,))
        self.spec = spec
        self.events: list[Any] = []
        self.later: list[Any] = []
        self.caught_up: list[int] = []
        loop = SimpleNamespace(call_later=lambda _, what: self.later.append(what))
        instance: Any = SimpleNamespace(
            loop=loop, journal=SimpleNamespace(tell=self.events.append, catch_up=lambda: self.caught_up.append(1))
        )
        nothing: Any = SimpleNamespace(on_new_spec=None, on_down=None)
        self.desk: Any = Desk(spec, nothing, instance, nothing, nothing, nothing)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(commands, "Commands", Made)
    monkeypatch.setattr(reload, "Reloader", lambda spec, *_: SimpleNamespace(stamps=stamps_of(spec)))
    (tmp_path / "services.yaml").write_text("services: {}")
    return Scene(tmp_path / "services.yaml")


@pytest.mark.live
def test_a_start_imports_nothing_that_answers_requests() -> None:
    told = f"[each for each in {ANSWERS} if f'supervisor.{{each}}' in sys.modules]"
    script = f"import sys, supervisor.daemon.start; print({told})"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_it_is_made_for_the_first_request_and_hears_of_changes_from_then_on(scene: Scene) -> None:
    scene.desk.changed("before", "after")
    assert not scene.desk._commands
    scene.desk.handle("status", None)
    scene.desk.changed("before", "after")
    scene.desk.handle("ping", None)
    assert scene.desk._commands.asked == ["status", "before after", "ping"]
    assert len(scene.caught_up) == 2  # what was put off is in the journal before somebody is answered


def test_it_is_made_without_a_request_once_the_stack_has_had_time(scene: Scene) -> None:
    (settle,) = scene.later
    settle()
    assert scene.desk._commands.asked == []


def test_the_files_count_as_changed_since_the_start_and_not_since_the_first_request(scene: Scene) -> None:
    (file,) = scene.spec.files
    begun = stamps_of(scene.spec)
    file.write_text("services: {a: {command: sleep 1}}")
    scene.desk.handle("status", None)
    assert scene.desk._commands.reloader.stamps == begun != stamps_of(scene.spec)


def test_what_cannot_be_loaded_is_an_answer_and_tried_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as short:
        short.setattr(reload, "Reloader", refuse)
        scene.later[0]()
        with pytest.raises(PortsupError, match="cannot answer: too many open files"):
            scene.desk.handle("status", None)
        scene.desk.reload()
        assert [type(each) for each in scene.events] == [ReloadRefused]
    scene.desk.reload()
    assert scene.desk._commands.asked == ["reload"]
