"""A lock that is lost ends everything, the service it belongs to first, within a second and with exit code 13."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.conftest import Make
from tests.live.stack import Live, is_alive, notes
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

WITHIN = 4.0  # seconds, for a busy machine; `took` below is printed with -s and is far below one


def delete(lock: Path) -> None:
    lock.unlink()


def replace(lock: Path) -> None:
    other = lock.with_suffix(".new")
    other.write_bytes(b"")
    other.rename(lock)


def rename(lock: Path) -> None:
    lock.rename(lock.with_suffix(".old"))


def remove_directory(lock: Path) -> None:
    shutil.rmtree(lock.parent)


def move_runtime_directory(lock: Path) -> None:
    runtime = lock.parent.parent
    runtime.rename(runtime.with_name("elsewhere"))


def take_over_record(lock: Path) -> None:
    """Somebody who lives writes himself into the record."""
    from supervisor import system

    me = system.identity_of(os.getpid())
    assert me is not None
    record = json.loads(lock.with_suffix(".json").read_text())
    written = lock.with_suffix(".tmp")
    written.write_text(json.dumps({**record, "run_id": "of-a-stranger", "owner": me.as_json()}))
    written.rename(lock.with_suffix(".json"))


def lose(live: Live, pids: list[int], how: Callable[[Path], None], lock: Path) -> float:
    """Seconds from the loss of a lock until none of these processes is left."""
    begun = time.monotonic()
    how(lock)
    eventually(lambda: not any(map(is_alive, pids)), within=WITHIN, every=0.002, what="the end of all")
    took = time.monotonic() - begun
    print(f"{how.__name__}: {took * 1000:.0f} ms")
    return took


WAYS = [delete, replace, rename, remove_directory, move_runtime_directory, take_over_record]


@pytest.mark.parametrize("how", WAYS, ids=lambda how: how.__name__)
def test_a_lost_lock_ends_everything_with_exit_code_13(stack: Make, how: Callable[[Path], None]) -> None:
    pool, other = free_pool(2), free_pool(1)
    live = stack({
        "web": {"command": program("ignores_sigterm"), "pool": list(pool)},
        "api": {"command": program("ignores_sigterm"), "pool": list(other)},
    })  # fmt: skip
    with live.foreground() as up:
        up.says("is up")
        pids = [row["pid"] for row in live.rows().values()]
        lose(live, pids, how, live.runtime / "ports" / f"{pool[0]}.lock")
        assert up.ends(within=WITHIN) == 13, up.err
        assert "error: cannot go on: the lock of " in up.err
        assert "hint: find out what touched " in up.err
        if how in (delete, replace, rename):
            assert f"the lock of port {pool[0]} of `web` is lost" in up.err
        assert live.journal("lock lost")


def test_the_service_whose_lock_is_lost_is_killed_before_the_others_are_asked_to_end(stack: Make) -> None:
    pool, other = free_pool(1), free_pool(1)
    live = stack({})
    file = live.folder / "notes"
    live.write({
        "api": notes(file, 0.2, pool=list(other)),
        "web": notes(file, 0.2, pool=list(pool), depends_on=["api"]),
    })  # fmt: skip
    with live.foreground() as up:
        up.says("is up")
        lose(live, [row["pid"] for row in live.rows().values()], delete, live.runtime / "ports" / f"{pool[0]}.lock")
        assert up.ends() == 13
    lines = file.read_text().splitlines()
    assert "web ends" not in lines, "it had no time to do anything on a port that is not ours"
    assert lines[-2:] == ["api ends", "api ended"], "the others may end in peace"


def test_a_lost_lock_of_a_spare_port_or_of_the_instance_ends_everything_too(stack: Make) -> None:
    pool = free_pool(2)
    live = stack({"web": {"command": program("listens"), "pool": list(pool)}})
    for lock in (f"ports/{pool[1]}.lock", "instances/t-1.lock"):
        with live.foreground() as up:
            up.says("is up")
            lose(live, [live.rows()["web"]["pid"]], delete, live.runtime / lock)
            assert up.ends(within=WITHIN) == 13, up.err


def test_a_lost_lock_ends_a_stack_in_the_background_and_its_journal_tells(stack: Make) -> None:
    pool = free_pool(1)
    live = stack({"web": {"command": program("leaves_session"), "pool": list(pool), "ready": "started"}})
    with live.up():
        daemon, row = live.daemon(), live.rows()["web"]
        grandchild = eventually(lambda: int(live.log("web").removeprefix("grandchild ") or 0), what="the grandchild")
        lose(live, [row["pid"], grandchild, daemon], delete, live.runtime / "ports" / f"{pool[0]}.lock")
        (fatal,) = live.journal("fatal")
        assert fatal["exit_code"] == 13


def test_files_that_are_none_of_ours_may_come_and_go(stack: Make) -> None:
    pool = free_pool(1)
    live = stack({"web": {"command": program("listens"), "pool": list(pool)}})
    with live.up():
        pid = live.rows()["web"]["pid"]
        foreign = live.runtime / "ports" / "19999.lock"
        for _ in range(20):
            foreign.write_text("")
            foreign.unlink()
        (live.runtime / "ports" / f"{pool[0]}.lock").touch()
        (live.runtime / "note").write_text("")
        assert live.do("restart", "web")["web"]["ok"]
        assert live.rows()["web"]["pid"] != pid
