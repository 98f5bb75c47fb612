"""`doctor` and `prune` on a machine where something is wrong."""

import json
import os
import re
import signal
import socket
from pathlib import Path

import pytest

from tests.live.conftest import Make
from tests.live.stack import Live, is_alive, parent_of
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


def findings(live: Live, *words: str) -> tuple[int, dict[str, dict[str, str]]]:
    done = live.run("doctor", "--format", "json", *words)
    assert done.stderr == ""
    return done.returncode, {each["check"]: each for each in map(json.loads, done.stdout.splitlines())}


def test_all_is_well(stack: Make) -> None:
    live = stack({"web": {"command": program("listens"), "pool": list(free_pool(3))}})
    code, found = findings(live)
    assert code == 0
    assert found["taken"]["level"] == "ok"
    assert {"handoff", "ipv6", "watches", "runtime", "state", "descriptors", "instances", "leftovers"} <= set(found)


def test_it_says_how_well_an_instance_serves_and_which_does_not_answer(stack: Make) -> None:
    live = stack({"web": {"command": program("listens"), "pool": list(free_pool(3))}})
    with live.up():
        _, found = findings(live)
        assert "stalls of 50 ms and more: " in found["loop"]["what"]
        os.kill(live.daemon(), signal.SIGSTOP)
        try:
            code, found = findings(live)
        finally:
            os.kill(live.daemon(), signal.SIGCONT)
        assert (code, found["loop"]["level"]) == (0, "warning")
        assert "does not answer" in found["loop"]["what"]


def test_strangers_on_the_pool_are_named(stack: Make) -> None:
    pool = free_pool(3)
    live = stack({"web": {"command": program("listens"), "pool": list(pool)}})
    with socket.create_server(("127.0.0.1", pool[1])):
        code, found = findings(live)
        assert (code, found["taken"]["level"]) == (0, "warning")
        assert f"port {pool[1]} is held by `" in found["taken"]["what"]
        assert f"(pid {os.getpid()}," in found["taken"]["what"]
        with socket.create_server(("127.0.0.1", pool[0])), socket.socket() as bound:
            bound.bind(("127.0.0.1", pool[2]))
            assert findings(live)[0] == 1


def test_a_mistake_in_the_file_and_a_bad_directory_are_errors(stack: Make, tmp_path: Path) -> None:
    live = stack({"web": {"comand": "x"}})
    code, found = findings(live)
    assert (code, found["services.yaml"]["level"]) == (1, "error")
    (tmp_path / "file").write_text("")
    live.env["PORTSUP_STATE_DIR"] = str(tmp_path / "file" / "below")
    assert findings(live)[1]["state"]["level"] == "error"


def test_what_two_sigkills_left_is_shown_and_pruned(stack: Make) -> None:
    pool = free_pool(3)
    web = {"command": program("leaves_session"), "pool": list(pool), "ready": "started", "notify_socket": "path"}
    live = stack({"web": web})
    with live.up():
        daemon = live.daemon()
        guardian = parent_of(daemon)
        assert findings(live)[1]["leftovers"]["level"] == "ok"
        assert live.run("prune", "--yes").stderr == "ended runs have left nothing behind\n"
        (live.runtime / "ports" / f".{pool[0]}.json.0123456789ab.new").write_text("{")
        assert "unfinished" not in live.run("prune", "--dry-run").stdout, "its owner may be writing it"
        os.kill(guardian, signal.SIGSTOP)
        os.kill(daemon, signal.SIGKILL)
        os.kill(guardian, signal.SIGKILL)
        eventually(lambda: not is_alive(daemon) and not is_alive(guardian))
    (live.runtime / "instances" / ".t-1.json.0123456789ab.new").touch()  # killed in the middle of writing it
    (live.runtime / ".t-1.endpoints.json.0123456789ab.new").touch()
    unfinished = re.findall("unfinished `(.*)`", live.run("prune", "--dry-run").stdout)
    assert unfinished == [f"{pool[0]}.json", "t-1.json", "t-1.endpoints.json"]
    code, found = findings(live)
    assert code == 0
    assert {"orphans", "stale-files"} & set(found)
    asked = live.run("prune")
    assert (asked.returncode, "--yes" in asked.stderr) == (2, True)
    shown = [json.loads(line) for line in live.run("prune", "--dry-run", "--format", "json").stdout.splitlines()]
    pids = [each["pid"] for each in shown if each["kind"] == "process"]
    assert {each["stack"] for each in shown if each["kind"] == "process"} == {"t"}
    assert live.run("prune", "--yes").returncode == 0
    assert [pid for pid in pids if is_alive(pid)] == []
    assert not list(live.runtime.rglob("*.new"))
    assert findings(live)[1]["leftovers"]["level"] == "ok"
    live.leaves_nothing(*pool)
