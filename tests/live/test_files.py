"""What else may be in the place of our files and directories: links, pipes, halves, and what others could change."""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS, Live
from tests.live.test_hard_places import needs_root
from tests.support.planted import PLANTED, plant
from tests.support.ports import free_pool
from tests.support.rounds import each_once
from tests.support.running import program

pytestmark = pytest.mark.live

OTHERS = 12345  # a user that nobody is


@contextlib.contextmanager
def masked(umask: int) -> Iterator[None]:
    """A umask for what is started in the block."""
    before = os.umask(umask)
    try:
        yield
    finally:
        os.umask(before)


def open_to_others(live: Live) -> Path:
    """The state directory in a folder that others may write in."""
    (live.folder / "open").mkdir()
    (live.folder / "open").chmod(0o777)
    return live.folder / "open" / "s"


def of_others(live: Live) -> Path:
    (live.folder / "theirs").mkdir(mode=0o755)
    os.chown(live.folder / "theirs", OTHERS, OTHERS)
    return live.folder / "theirs"


def below_others(live: Live) -> Path:
    return of_others(live) / "s"


def a_link(live: Live) -> Path:
    (live.folder / "real").mkdir()
    (live.folder / "link").symlink_to("real")
    return live.folder / "link"


def open_itself(live: Live) -> Path:
    (live.folder / "s").mkdir()
    (live.folder / "s").chmod(0o775)
    os.chown(live.folder / "s", -1, OTHERS)
    return live.folder / "s"


UNSAFE: dict[Callable[[Live], Path], str] = {
    open_to_others: "above it (mode 0777), and put another in its place",
    of_others: f"it belongs to uid {OTHERS}, not to you",
    below_others: f"above it belongs to uid {OTHERS}, who can put another in its place",
    a_link: "it is a symbolic link, which could lead anywhere",
    open_itself: "others may write in it (mode 0775)",
}


@needs_root
@pytest.mark.parametrize(("unsafe", "variable"), each_once(list(UNSAFE), ["PORTSUP_STATE_DIR", "PORTSUP_RUNTIME_DIR"]))
def test_a_directory_that_others_could_change_is_refused(
    stack: Make, unsafe: Callable[[Live], Path], variable: str
) -> None:
    live = stack({"web": SLEEPS})
    live.env[variable] = str(unsafe(live))
    why = UNSAFE[unsafe]
    if unsafe is open_itself and variable == "PORTSUP_RUNTIME_DIR":
        why = "others may enter it (mode 0775)"
    for words in (("up",), ("up", "-d"), ("prune", "--yes"), ("ls", "--all"), ("logs",)):
        done = live.run(*words)
        assert done.returncode == 1, (words, done.stderr)
        name = "state" if variable == "PORTSUP_STATE_DIR" else "runtime"
        assert f"error: cannot use the {name} directory `{live.env[variable]}`: " in done.stderr
        assert why in done.stderr
        assert f"name another one in {variable}" in done.stderr
    assert why in live.run("doctor").stdout
    assert live.instances() == []


@pytest.mark.parametrize(("name", "kind"), each_once(["portsup.log", "web.log", "web.log.idx"], PLANTED))
def test_what_lies_in_the_place_of_a_log_is_not_written_to_and_said(stack: Make, name: str, kind: str) -> None:
    live = stack({"web": {"command": ["sh", "-c", "echo hello; exec sleep 99"]}})
    target = live.folder / "precious"
    target.write_text("kept")
    plant(live.state / "t-1" / name, kind, target)
    started = live.run("up", "-d")
    assert started.returncode == 0, started.stderr
    if name != "web.log.idx":  # the times of the lines; the log itself is there
        words = {"link": "a symbolic link", "fifo": "a FIFO", "directory": "a directory", "socket": "a socket"}[kind]
        assert f"cannot write `{live.state / 't-1' / name}`: it is {words}" in started.stderr
    for command in (["logs"], ["why", "web"], ["events"], ["timings"], ["status"], ["restart", "web"], ["down"]):
        assert live.run(*command).returncode in (0, 1, 4), command
    assert target.read_text() == "kept"
    assert stat.S_IFMT((live.state / "t-1" / name).lstat().st_mode) == {
        "link": stat.S_IFLNK, "fifo": stat.S_IFIFO, "directory": stat.S_IFDIR, "socket": stat.S_IFSOCK,
    }[kind]  # fmt: skip


@needs_root
def test_a_log_of_somebody_else_is_left_alone(stack: Make) -> None:
    live = stack({"web": {"command": ["sh", "-c", "echo hello; exec sleep 99"]}})
    (live.state / "t-1").mkdir(parents=True, mode=0o700)
    (live.state / "t-1" / "web.log").write_text("")
    os.chown(live.state / "t-1" / "web.log", OTHERS, OTHERS)
    with live.up():
        (told,) = live.journal("log not written")
        assert (told["why"], told["path"]) == (
            f"it belongs to uid {OTHERS}, not to you", str(live.state / "t-1" / "web.log"),
        )  # fmt: skip
    assert live.log("web") == ""


def test_an_instance_directory_that_is_a_link_is_refused(stack: Make) -> None:
    live = stack({"web": SLEEPS})
    live.state.mkdir(mode=0o700)
    (live.folder / "elsewhere").mkdir()
    (live.state / "t-1").symlink_to(live.folder / "elsewhere")
    done = live.run("up")
    assert done.returncode == 1, done.stderr
    assert f"cannot use the state directory `{live.state / 't-1'}`: it is a symbolic link" in done.stderr
    assert list((live.folder / "elsewhere").iterdir()) == []
    assert live.instances() == []


@pytest.mark.parametrize("umask", [0, 0o777])
def test_every_file_and_folder_is_ours_alone_whatever_the_umask(stack: Make, umask: int) -> None:
    live = stack({"web": {"command": program("listens"), "pool": list(free_pool(3))}})
    live.env["PORTSUP_STATE_DIR"] = str(live.folder / "a" / "b" / "state")
    live.env["PORTSUP_RUNTIME_DIR"] = str(live.folder / "c" / "d" / "run")
    with masked(umask):
        assert live.run("up", "-d").returncode == 0
        assert live.run("restart", "web").returncode == 0
        assert [info["instance"] for info in live.instances()] == [1]
        assert "listening" in live.run("logs").stdout
        made = [path for top in "ac" for path in (live.folder / top, *(live.folder / top).rglob("*"))]
        modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in made}
        assert {path: mode for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)} == {}
        assert live.run("down").returncode == 0
        assert live.run("init", "-o", "other.yaml").returncode == 0
    assert (live.folder / "other.yaml").read_text().endswith("\n")
