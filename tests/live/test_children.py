"""Programs that behave badly: each ends as documented, with words that say what to do, and the others go on."""

import json
import os
import signal
import time

import pytest

from tests.live.conftest import Make, in_both_ways
from tests.live.stack import SLEEPS, STOPPED, Live, answer_of, is_alive, is_free
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


def pid_after(live: Live, service: str, word: str) -> int:
    """The pid that a service printed after `word`."""

    def look() -> int:
        for line in live.log(service).splitlines():
            if line.startswith(f"{word} "):
                return int(line.split()[1])
        return 0

    return eventually(look, what=f"{word} PID in the log of {service}")


def test_one_that_ignores_sigterm_is_killed_after_its_grace(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("ignores_sigterm"), "pool": [port], "stop_grace_period": "0.4s"}})
    with live.foreground() as up:
        up.says("is up")
        pid = live.rows()["web"]["pid"]
        begun = time.monotonic()
        up.send(signal.SIGTERM)
        assert up.ends() == 0, up.err
        assert time.monotonic() - begun >= 0.4
        assert "warning: web: did not end within its grace period of 0.4 s: killed" in up.err
        assert not is_alive(pid)
    live.leaves_nothing(port)


def test_a_child_that_left_the_session_ends_with_its_service(stack: Make) -> None:
    live = stack({"web": {"command": program("leaves_session"), "stop_grace_period": "0.3s"}})
    with live.up():
        grandchild = pid_after(live, "web", "grandchild")
        assert live.do("stop", "web")["web"].items() >= STOPPED
        assert not is_alive(grandchild)
        assert live.rows()["web"]["pid"] is None


def test_a_crash_takes_what_the_service_had_started_along(stack: Make) -> None:
    live = stack({"web": {"command": program("leaves_session"), "restart_policy": {"delay": 0}}})
    with live.up():
        grandchild = pid_after(live, "web", "grandchild")
        os.kill(live.rows()["web"]["pid"], signal.SIGKILL)
        live.until("web", state="running", restarts=1)
        assert not is_alive(grandchild)


def test_a_program_that_puts_itself_into_the_background_is_told_not_to(stack: Make) -> None:
    """Its main process ends with 0, and nothing of it may stay: own_folders looks for what is left."""
    live = stack({"old": {"command": program("daemonizes")}, "good": SLEEPS})
    with live.foreground() as up:
        up.says("is up")
        live.until("old", state="exited")
        up.says("old: exit code 0, and left processes behind: portsup kills them")
        assert live.rows()["good"]["state"] == "running"


def test_a_grandchild_that_keeps_the_port_is_ended_and_the_port_is_used_again(stack: Make) -> None:
    pool = free_pool(2)
    live = stack({
        "web": {"command": program("leaves_server"), "pool": list(pool), "restart_policy": {"delay": 0}},
    })  # fmt: skip
    with live.up():
        before = live.rows()["web"]["pid"]
        grandchild = pid_after(live, "web", "server")
        assert answer_of(pool[0]) == str(grandchild), "a grandchild that listens is the service"
        os.kill(before, signal.SIGTERM)
        row = live.until("web", state="running", restarts=1)
        assert row["port"] == pool[0]
        assert not is_alive(grandchild)
        assert answer_of(pool[0]) not in (str(before), str(grandchild))


def test_one_that_exits_at_once_is_given_up_on_after_its_restarts(stack: Make) -> None:
    pool = free_pool(3)
    live = stack({
        "bad": {
            "command": program("exits", "7"),
            "pool": list(pool),
            "rotate_after": 100,
            "restart_policy": {"delay": "0.02s", "factor": 1, "max_restarts": 3},
        },
        "good": SLEEPS,
    })  # fmt: skip
    with live.foreground() as up:
        up.says("1 of its services failed")
        row = live.rows()["bad"]
        assert (row["state"], row["result"], row["exit_code"], row["restarts"]) == ("failed", "start-limit", 7, 3)
        assert "error: bad: gave up: exit code 7 before it was ready, after 3 restarts" in up.err
        assert f"exits.py 7` in {live.folder}" in up.err, "what was run, and where"
        assert "  | giving up" in up.err, "the last words of the program"
        assert live.rows()["good"]["state"] == "running"
        assert live.run("status").returncode == 3
        up.send(signal.SIGTERM)
        assert up.ends() == 10


def test_one_that_never_listens_is_ended_and_told_what_was_expected(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({
        "web": {
            "command": program("never_listens"),
            "pool": [port],
            "ready": {"listening": True, "timeout": "0.3s"},
            "restart": "never",
        },
        "good": SLEEPS,
    })  # fmt: skip
    with live.foreground() as up:
        up.says("1 of its services failed")
        assert "web: not ready within 0.3 s" in up.err
        assert str(port) in up.err.partition("not ready within")[2].partition("NAME")[0], "which port was expected"
        assert "$PORT" in up.err
        row = live.rows()["web"]
        assert (row["state"], row["result"]) == ("failed", "timeout")
        up.send(signal.SIGTERM)
        assert up.ends() == 10
    live.leaves_nothing(port)


def test_one_that_listens_on_another_port_is_told_both_ports_and_what_to_do(stack: Make) -> None:
    (port,), (elsewhere,) = free_pool(1), free_pool(1)
    live = stack({
        "web": {
            "command": program("listens_elsewhere", str(elsewhere)),
            "pool": [port],
            "ready": {"listening": True, "timeout": "2s"},
            "restart": "never",
        }
    })  # fmt: skip
    with live.foreground() as up:
        up.says("1 of its services failed")
        assert f"warning: web: listens on {elsewhere} instead of {port}; make it listen on $PORT" in up.err
        assert f"not ready within 2 s: it listens on {elsewhere} instead of {port}, the port in $PORT" in up.err
    assert is_free(elsewhere)


def test_a_flood_on_stdout_slows_nobody_and_is_rotated(stack: Make) -> None:
    pool = free_pool(2)
    live = stack({
        "flood": {"command": program("floods"), "logging": {"max_size": "64KB", "backups": 1}},
        "web": {"command": program("listens"), "pool": list(pool), "restart_policy": {"delay": 0}},
    })  # fmt: skip
    with live.up():
        eventually(lambda: (live.state / "t-1" / "flood.log.1").exists(), what="a rotated log")
        for _ in range(5):
            assert answer_of(pool[0]) == str(live.rows()["web"]["pid"])
        os.kill(live.rows()["web"]["pid"], signal.SIGKILL)
        live.until("web", within=5, state="running", restarts=1)
        assert live.do("stop", "flood", timeout=2)["flood"]["ok"]
        sizes = [path.stat().st_size for path in (live.state / "t-1").glob("flood.log*")]
        assert sum(sizes) < 3_000_000


def test_a_flood_into_a_foreground_that_nobody_reads_stops_nothing(stack: Make) -> None:
    """The terminal is stopped (Ctrl-S): portsup is not."""
    reading, writing = os.pipe()
    (port,) = free_pool(1)
    live = stack({"flood": {"command": program("floods")}, "web": {"command": program("listens"), "pool": [port]}})
    with live.foreground(stdout=writing) as up:
        os.close(writing)
        live.until("web", state="running")
        size = len(live.log("flood"))
        eventually(lambda: len(live.log("flood")) != size, what="more in the log")
        assert live.do("restart", "web")["web"]["ok"]
        os.close(reading)
        assert up.ends() in (0, 141, 1)


def test_the_last_line_without_a_newline_is_kept(stack: Make) -> None:
    live = stack({"job": {"command": program("no_newline"), "restart": "never"}, "good": SLEEPS})
    with live.foreground() as up:
        live.until("job", state="failed")
        assert live.log("job").splitlines() == ["first", "last words"]
        eventually(lambda: "last words\n" in up.out, within=5)
        assert up.out.splitlines() == ["job  | first", "job  | last words"]
        up.says("  | last words")  # by another pipe


def test_one_that_closes_its_stdout_runs_on(stack: Make) -> None:
    live = stack({"job": {"command": program("closes_stdout")}})
    with live.up():
        eventually(lambda: "closing" in live.log("job"), what="its last line")
        row = live.rows()["job"]
        assert row["state"] == "running"
        assert live.do("stop", "job")["job"]["ok"]
        assert not is_alive(row["pid"])


def test_many_processes_that_fork_on_and_on_are_all_ended(stack: Make) -> None:
    """A stack ends by itself when nothing of it is left to supervise."""
    live = stack({"hydra": {"command": program("forks_on"), "restart": "never"}})
    with live.foreground() as up:
        assert up.ends() == 0, up.err
        assert "hydra: exit code 0, and left processes behind: portsup kills them" in up.err
        assert "nothing is left to supervise" in up.err


def test_a_stack_of_failures_ends_by_itself_with_their_code(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({
        "job": {"command": program("exits", "0")},
        "bad": {"command": program("exits", "3"), "pool": [port], "restart": "never"},
    })  # fmt: skip
    done = live.run("up")
    assert done.returncode == 10, done.stderr
    assert done.stderr.count("nothing is left to supervise") == 1
    live.leaves_nothing(port)


def test_a_stack_of_which_nothing_can_be_run_says_once_that_nothing_is_left(stack: Make) -> None:
    done = stack({"job": {"command": "no-such-program"}}).run("up")
    assert (done.returncode, done.stderr.count("nothing is left to supervise")) == (10, 1), done.stderr


def test_services_inherit_no_descriptor_and_no_signal_handling_of_ours(stack: Make) -> None:
    live = stack({"job": {"command": program("prints_state")}})
    with live.up():
        eventually(lambda: live.log("job").endswith("\n"), what="the report")
        told = json.loads(live.log("job"))
        assert set(told["descriptors"]) == {"0", "1", "2"}
        assert (told["blocked"], told["stdin"]) == (0, "")
        assert told["session"] == told["group"] == told["pid"]


@in_both_ways
def test_the_next_process_begins_once_the_workers_of_the_last_have_given_back_what_they_had(stack: Make) -> None:
    (port,) = free_pool(1)
    at_once = {"delay": 0, "max_restarts": 1000}
    live = stack({"web": {"command": program("locks_in_worker"), "pool": [port], "restart_policy": at_once}})
    with live.up():
        for _ in range(3):
            before = live.until("web", state="running")["pid"]
            os.kill(before, signal.SIGKILL)
            eventually(lambda before=before: live.rows()["web"]["pid"] not in (before, None))  # type: ignore[misc]
        live.until("web", state="running")
        assert live.run("restart", "web").returncode == 0
        assert (live.log("web"), live.rows()["web"]["restarts"]) == ("", 3)
