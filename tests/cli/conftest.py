"""What the tests of the command line share: a running instance made of canned answers, and a way to run a command."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from supervisor.cli import target
from supervisor.cli.main import main
from tests.support.fake_daemon import Answers, FakeDaemon


class Ran(NamedTuple):
    """What a command did: exit code, data and words."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]
Pretend = Callable[..., FakeDaemon]


@pytest.fixture
def run(own_folders: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Carries out one command line in this process, in a folder without a services.yaml."""
    monkeypatch.chdir(own_folders)

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(arguments)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


def info(**changes: Any) -> Any:
    """What is known about a running instance."""
    known: dict[str, Any] = {
        "stack": "shop",
        "instance": 1,
        "pid": 77,
        "run_id": "r-1",
        "started_at": 0.0,
        "socket": "/nowhere",
    }
    known |= {"directory": "/srv/shop", "file": "/srv/shop/services.yaml", "over": ()} | changes
    known |= {"pid_here": known["pid"], "whose": f"pid {known['pid']}"}
    return SimpleNamespace(**known, files=(known["file"], *known["over"]))


@pytest.fixture
def pretend(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pretend]:
    """Starts instances of `shop` that answer as told, and makes the command line find them."""
    running: list[Any] = []
    monkeypatch.setattr(target, "instances", lambda: list(running))
    with ExitStack() as ended:

        def pretend(answers: Answers, **changes: Any) -> FakeDaemon:
            path = own_folders / f"{len(running)}.sock"
            daemon = ended.enter_context(FakeDaemon(path, answers))
            running.append(info(socket=str(path), instance=len(running) + 1, **changes))
            return daemon

        yield pretend
