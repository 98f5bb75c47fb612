"""Full disks, folders that are not ours, files that cannot be read: clear words, the right code, nothing half done."""

import os
import shutil
import subprocess

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS, answer_of
from tests.support.disks import fill, small_disk
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="mounts a file system, which needs root")


@needs_root
def test_a_full_disk_for_logs_stops_no_service_and_what_is_lost_is_said(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens"), "pool": [port]}, "flood": {"command": program("floods")}})
    with small_disk(live.state, "size=256k") as disk, live.up():
        eventually(lambda: shutil.disk_usage(disk).free == 0, what="a full disk")
        row = live.rows()["web"]
        assert row["state"] == "running"
        assert answer_of(port) == str(row["pid"])
        assert live.do("restart", "web")["web"]["ok"]
        assert live.do("stop", "flood", timeout=2)["flood"]["ok"]
        (disk / "t-1" / "flood.log").write_text("")
        assert live.do("start", "flood")["flood"]["ok"]
        eventually(lambda: "bytes of output lost here: " in live.log("flood"), what="words on what was lost")
        assert live.run("down").returncode == 0


@needs_root
def test_a_start_on_a_full_runtime_disk_says_so_and_leaves_nothing(stack: Make) -> None:
    pool = free_pool(3)
    live = stack({"web": {"command": program("listens"), "pool": list(pool)}})
    with small_disk(live.runtime) as disk:
        fill(disk)
        done = live.run("up")
        assert done.returncode in (1, 12), done.stderr
        assert "disk is full" in done.stderr or "No space left" in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
        made = {path.name for path in disk.rglob("*") if path.is_file() and path.suffix != ".lock"}
        assert made == {"filler"}, "no record without content"
        (disk / "filler").unlink()
        with live.up():
            assert live.rows()["web"]["port"] == pool[0]


@needs_root
def test_a_runtime_disk_that_fills_up_while_running_costs_nothing_but_the_endpoints_file(stack: Make) -> None:
    pool = free_pool(3)
    live = stack({"web": {"command": program("listens"), "pool": list(pool)}})
    with small_disk(live.runtime) as disk, live.up():
        filler = fill(disk)
        assert live.rotate("web")["ok"]
        assert live.rows()["web"]["port"] == pool[1]
        assert live.do("restart", "web")["web"]["ok"]
        filler.unlink()
        assert live.rotate("web")["ok"]
        assert live.endpoints()["web"]["port"] == pool[2]
        assert live.run("down").returncode == 0


@needs_root
def test_a_read_only_runtime_directory_is_refused(stack: Make) -> None:
    live = stack({"web": SLEEPS})
    with small_disk(live.runtime) as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        done = live.run("up")
        assert done.returncode == 1, done.stderr
        assert "error: cannot use the runtime directory" in done.stderr
        assert "read-only" in done.stderr
        assert "hint: name another one in PORTSUP_RUNTIME_DIR" in done.stderr


def test_a_runtime_directory_that_is_a_link_is_refused(stack: Make) -> None:
    live = stack({"web": SLEEPS})
    (live.folder / "real").mkdir()
    live.runtime.symlink_to(live.folder / "real")
    done = live.run("up")
    assert done.returncode == 1, done.stderr
    assert "symbolic link" in done.stderr
    assert list((live.folder / "real").iterdir()) == []


@needs_root
def test_a_runtime_directory_of_somebody_else_is_refused(stack: Make) -> None:
    live = stack({"web": SLEEPS})
    live.runtime.mkdir(mode=0o700)
    os.chown(live.runtime, 12345, 12345)
    done = live.run("up")
    assert done.returncode == 1, done.stderr
    assert "12345" in done.stderr


def test_a_runtime_directory_that_others_may_enter_is_refused(stack: Make) -> None:
    live = stack({"web": SLEEPS})
    live.runtime.mkdir()
    live.runtime.chmod(0o777)
    done = live.run("up", "-d")
    assert done.returncode == 1, done.stderr
    assert "others may enter it (mode 0777)" in done.stderr


def test_a_runtime_directory_too_deep_for_a_socket_is_refused_before_anything_starts(stack: Make) -> None:
    pool = free_pool(3)
    live = stack({"web": {"command": program("listens"), "pool": list(pool)}})
    live.env["PORTSUP_RUNTIME_DIR"] = str(live.folder / ("d" * 100))
    done = live.run("up")
    assert done.returncode == 1, done.stderr
    assert "a unix socket can have" in done.stderr
    assert "hint: set PORTSUP_RUNTIME_DIR to a shorter path" in done.stderr


def test_a_state_directory_that_cannot_be_made_costs_the_logs_and_that_is_said(stack: Make) -> None:
    live = stack({"web": SLEEPS})
    live.state.parent.mkdir(exist_ok=True)
    live.state.write_text("a file, not a directory")
    done = live.run("up", "-d")
    assert done.returncode == 0, done.stderr
    assert f"warning: portsup keeps no logs: cannot make `{live.state}/t-1`: Not a directory" in done.stderr
    assert live.run("logs").returncode in (0, 1)
    assert live.run("down").returncode == 0


def test_a_dead_socket_and_stale_records_are_no_running_instance(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens"), "pool": [port]}})
    with live.up():
        live.run("down")
    (live.runtime / "t-1.sock").touch()
    (live.runtime / "instances" / "t-1.json").write_text('{"stack": "t", "instance": 1, "pid": 1')
    (live.runtime / "ports" / f"{port}.json").write_text("not json")
    with live.up():
        assert live.rows()["web"]["port"] == port
