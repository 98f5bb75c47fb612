"""The commands on a stack that runs, as a second terminal gives them."""

import json
import os
import socket
import subprocess
from typing import Any

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS, Live, answer_of, is_alive, is_free
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


def lines_of(live: Live, *words: str) -> "Following":
    return Following(live, words)


class Following:
    """A command that goes on printing, such as `logs -f`."""

    def __init__(self, live: Live, words: tuple[str, ...]) -> None:
        self._file = live.folder / f"{'-'.join(words)}.txt"
        with self._file.open("wb") as out:
            self._process = live.popen(*words, stdout=out, stderr=subprocess.STDOUT)

    def __enter__(self) -> "Following":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(5)

    @property
    def lines(self) -> list[str]:
        return self._file.read_text().splitlines()

    def ended(self, within: float = 5.0) -> int:
        return self._process.wait(within)


def test_stop_start_and_restart_of_one_service(stack: Make) -> None:
    pool = free_pool(3)
    live = stack({"web": {"command": program("listens"), "pool": list(pool)}, "job": SLEEPS})
    with live.up():
        first = live.rows()["web"]["pid"]
        done = live.run("stop", "web")
        assert (done.returncode, done.stderr.count("web: stopped")) == (0, 1)
        row = live.rows()["web"]
        assert (row["state"], row["status"], row["pid"], row["port"]) == ("stopped", "inactive", None, None)
        assert not is_alive(first)
        assert not is_free(pool[0]), "the ports of the pool stay ours"
        assert live.run("status").returncode == 3
        done = live.run("start", "web")
        assert done.returncode == 0
        assert f"web: running on port {pool[0]}" in done.stderr
        second = live.rows()["web"]["pid"]
        done = live.run("restart", "web")
        assert done.returncode == 0
        row = live.rows()["web"]
        assert row["pid"] not in (None, first, second)
        assert (row["port"], row["restarts"]) == (pool[0], 0)
        assert answer_of(pool[0]) == str(row["pid"])
        done = live.run("restart", "wbe")
        assert done.returncode == 4
        assert "did you mean `web`?" in done.stderr


def test_stop_warns_of_those_that_still_need_the_service(stack: Make) -> None:
    live = stack({"db": SLEEPS, "api": {**SLEEPS, "depends_on": ["db"]}})
    with live.up():
        done = live.run("stop", "db")
        assert done.returncode == 0
        assert "db: still needed by api" in done.stderr
        assert live.rows()["api"]["state"] == "running"


def test_a_service_that_waits_or_is_to_be_restarted_can_be_stopped_too(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({
        "slow": {"command": program("never_listens"), "pool": [port]},
        "next": {**SLEEPS, "depends_on": ["slow"]},
        "bad": {"command": program("exits", "3"), "restart_policy": {"delay": "60s"}},
    })  # fmt: skip
    with live.foreground():
        live.until("next", state="waiting")
        live.until("bad", state="backoff")
        results = live.do("stop", "next", "bad", "slow")
        assert {name: result["words"] for name, result in results.items()} == dict.fromkeys(results, "stopped")
        assert {row["state"] for row in live.rows().values()} == {"stopped"}


def test_kill_sends_the_signal_that_is_named(stack: Make) -> None:
    live = stack({"web": {**SLEEPS, "restart": "never"}, "good": SLEEPS})
    with live.up():
        done = live.run("kill", "-s", "USR1", "web")
        assert (done.returncode, "SIGUSR1 sent" in done.stderr) == (0, True)
        row = live.until("web", state="failed")
        assert row["exit_code"] == -10


def test_the_table_shows_name_port_state_and_more(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens"), "pool": [port]}})
    with live.up():
        done = live.run("status")
        head, row = done.stdout.splitlines()
        assert head.split()[:5] == ["NAME", "PORT", "STATE", "HEALTH", "PID"]
        assert row.split()[:3] == ["web", str(port), "running"]
        told = json.loads(live.run("status", "--format", "json").stdout)
        keys = "name instance state status health port url pid uptime_s restarts exit_code result pool"
        assert set(keys.split()) <= set(told)
        assert told["pool"] == [{"port": port, "state": "active", "holder": None, "cause": None}]


def test_a_watched_status_follows_what_happens_and_ends_with_the_stack(stack: Make) -> None:
    live = stack({"web": SLEEPS, "job": SLEEPS})
    with live.up(), lines_of(live, "status", "--watch", "--format", "json") as watching:
        eventually(lambda: len(watching.lines) >= 2, what="the first rows")
        live.do("stop", "web")
        eventually(lambda: any('"stopped"' in line for line in watching.lines), what="the stop")
        assert all(json.loads(line)["name"] in ("web", "job") for line in watching.lines)
        live.run("down")
        watching.ended()


def test_followed_logs_go_on_across_a_restart_and_show_each_line_once(stack: Make) -> None:
    counts = ["sh", "-c", "echo begin $$; n=0; while :; do n=$((n+1)); echo line $n; sleep 0.01; done"]
    live = stack({"counts": {"command": counts}, "quiet": SLEEPS})
    with live.up(), lines_of(live, "logs", "-f", "--no-prefix", "counts") as following:
        eventually(lambda: "line 5" in "".join(following.lines), what="the first lines")
        live.do("restart", "counts")
        eventually(lambda: sum("begin" in line for line in following.lines) == 2, what="the second begin")
        eventually(lambda: len(following.lines) > 30, what="more lines")
        live.do("stop", "counts")
        kept = [line for line in live.log("counts").splitlines() if line.startswith(("begin", "line"))]
        eventually(lambda: len(following.lines) >= len(kept), within=5)
        shown = [line for line in following.lines if line.startswith(("begin", "line"))]
        assert shown == kept


def test_followed_logs_go_on_across_a_rotation(stack: Make) -> None:
    counts = ["sh", "-c", "n=0; while [ $n -lt 3000 ]; do n=$((n+1)); echo line $n; done; exec sleep 1000"]
    live = stack({"counts": {"command": counts, "logging": {"max_size": "4KB", "backups": 20}}})
    with live.up():
        eventually(lambda: "line 3000\n" in live.log("counts"), what="the last line")
        with lines_of(live, "logs", "-f", "-n", "1", "--no-prefix", "counts") as following:
            eventually(lambda: following.lines == ["line 3000"], what="the last line so far")
            live.do("restart", "counts")
            eventually(lambda: following.lines[-1:] == ["line 3000"] and len(following.lines) > 1, what="the end")
            assert following.lines[1:] == [f"line {number}" for number in range(1, 3001)]


def test_the_last_lines_of_several_services_are_in_the_order_of_time(stack: Make) -> None:
    live = stack({
        "one": {"command": ["sh", "-c", "echo first; sleep 0.3; echo third; sleep 1000"]},
        "two": {"command": ["sh", "-c", "sleep 0.15; echo second >&2; sleep 1000"]},
    })  # fmt: skip
    with live.up():
        eventually(lambda: "third" in live.log("one"), what="all lines")
        out = live.run("logs").stdout
        assert [line.split()[-1] for line in out.splitlines()] == ["first", "second", "third"]
        told = [json.loads(line) for line in live.run("logs", "--json", "-n", "1").stdout.splitlines()]
        assert [(line["service"], line["stream"], line["message"]) for line in told] == [
            ("two", "stderr", "second"), ("one", "stdout", "third"),
        ]  # fmt: skip


def test_foreground_lines_have_the_name_of_their_service_in_front(stack: Make) -> None:
    live = stack({"a": {"command": ["sh", "-c", "echo hello; sleep 1000"]}, "longer": SLEEPS})
    with live.foreground() as up:
        eventually(lambda: up.out == "a      | hello\n", what="the line")
    with live.foreground("--no-prefix") as up:
        eventually(lambda: up.out == "hello\n", what="the line")


def test_ports_lists_every_lease_and_stranger_and_ls_every_instance(stack: Make) -> None:
    *pool, taken = free_pool(3)
    live = stack({"web": {"command": program("listens"), "pool": [*pool, taken]}})
    with socket.create_server(("127.0.0.1", taken)), live.up():
        def named() -> list[dict[str, Any]] | None:  # its owner is looked for, which takes some time on a busy machine
            rows = [json.loads(line) for line in live.run("ports", "--all", "--format", "json").stdout.splitlines()]
            return rows if f"(pid {os.getpid()}" in rows[-1]["holder"] else None

        rows = eventually(named, within=20)
        assert rows is not None
        assert [(row["port"], row["service"], bool(row["holder"])) for row in rows] == [
            *((port, "web", False) for port in pool), (taken, "web", True),
        ]  # fmt: skip
        assert rows[-1]["holder"] in live.run("ports", "--all").stdout
        assert "t" in live.run("ls").stdout
        assert f"PORTSUP_WEB_PORT={pool[0]}" in live.run("env").stdout.replace("'", "").replace('"', "")
        assert live.run("url", "web").stdout == f"http://127.0.0.1:{pool[0]}\n"
