"""`portsup status`: table, JSON Lines, watching, exit codes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from supervisor.cli import render
from supervisor.cli.commands import status
from supervisor.cli.rows import pool_words
from supervisor.control.json_form import read
from supervisor.control.status import PortStatus, ServiceStatus
from supervisor.errors import ExitCode
from tests.cli.conftest import Pretend, Run
from tests.support.fake_daemon import NODE, refusal, row
from tests.support.fake_daemon import status as answer

pytestmark = pytest.mark.live

KEYS = (
    "name, instance, state, status, health, port, url, pid, uptime_s, restarts, exit_code, result, pool, beside,"
    " status_text, next_run, name_url, replicas, min_ready, stdio"
)


USED = {
    "web": {
        "cpu_s": 3.24,
        "memory": 25_500_000,
        "processes": 3,
        "partial": True,
        "listens": [
            {"host": "127.0.0.1", "port": 6000, "pid": 7},
            {"host": "127.0.0.1", "port": 6000, "pid": 8},
            {"host": "[::1]", "port": 9000, "pid": 7},
        ],
    },
    "db": None,
}


def test_the_table_shows_what_people_look_for(pretend: Pretend, run: Run) -> None:
    starting = row("worker", state="starting", health="none", port=None, pid=None, uptime_s=None, restarts=3)
    pretend({"status": [answer(row("web"), starting)]})
    ran = run("status")
    assert ran.out.splitlines() == [
        "NAME    PORT  STATE     HEALTH    PID  UPTIME  RESTARTS",
        "web     6000  running   healthy  4121   2m05s         0",
        "worker     -  starting  -           -       -         3",
    ]
    assert ran.code == ExitCode.NOT_RUNNING


def test_wide_adds_how_it_ended_and_the_pool(pretend: Pretend, run: Run) -> None:
    dead = row("db", state="failed", exit_code=3, result="exit-code", reason="it ended with exit code 3 five times")
    pretend({"status": [answer(row("web"), dead)]})
    ran = run("ps", "--format", "wide")
    heading, web, db = ran.out.splitlines()
    assert " ".join(heading.split()) == "NAME PORT STATE HEALTH PID UPTIME RESTARTS EXIT RESULT HANDOFF POOL"
    assert web.endswith("   -  -          -        6000* 6001 6002!node")
    assert db.endswith("   3  exit-code  -        6000* 6001 6002!node")
    assert ran.err == "\ndb: it ended with exit code 3 five times\n"


def test_wide_says_how_long_portsup_kept_everybody_waiting(pretend: Pretend, run: Run) -> None:
    loop = {"stalls": 3, "stall_from_s": 0.05, "longest_stall_s": 0.12, "longest_stall": "taking the ports of `web`"}
    pretend({"status": [answer(row("web")) | {"loop": loop}]})
    assert run("status", "--format", "wide").err == (
        "\nportsup: stalls of 50 ms and more: 3; the longest turn took 120 ms, taking the ports of `web`\n"
    )
    assert run("status").err == ""


def test_what_services_use_is_shown_to_who_asks_and_nobody_else_pays(pretend: Pretend, run: Run) -> None:
    daemon = pretend({
        "status": [answer(row("web"), row("db", state="stopped", pid=None))],
        "resources": [{"ok": True, "resources": USED}],
    })  # fmt: skip
    heading, web, db = run("status", "-r", "--format", "wide").out.splitlines()
    assert "HANDOFF   CPU  MEMORY  PROCS  LISTENS                      POOL" in heading
    assert "3.2s   24.3M      3  127.0.0.1:6000 [::1]:9000 …  6000*" in web
    assert "-       -      -  -                            6000*" in db
    assert run("status", "-r").out.splitlines()[0].endswith("RESTARTS   CPU  MEMORY  PROCS  LISTENS")
    web, db = run("status", "--format", "json", "--resources").out.splitlines()
    assert ", ".join(json.loads(web)) == f"{KEYS}, resources"
    assert (json.loads(web)["resources"], json.loads(db)["resources"]) == (USED["web"], None)
    asked = len(daemon.asked)
    for words in (["status"], ["status", "--format", "wide"], ["status", "-q", "--resources"]):
        run(*words)
    assert [request["do"] for request in daemon.asked[asked:]] == ["status"] * 3


def test_a_daemon_from_before_says_that_it_cannot_tell(pretend: Pretend, run: Run) -> None:
    old = refusal("cannot read the request", "there is no request 'resources'", exit_code=2)
    pretend({"status": [answer(row("web"))], "resources": [old]})
    ran = run("status", "--resources")
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    assert "there is no request 'resources'" in ran.err


def test_wide_shows_what_services_say_where_one_does(pretend: Pretend, run: Run) -> None:
    pretend({"status": [answer(row("web", status_text="serves 3 \x1b[31msites"), row("db"))]})
    heading, web, db = run("ps", "--format", "wide").out.splitlines()
    assert heading.endswith("  STATUS")
    assert web.endswith("  serves 3 ?[31msites")
    assert db.endswith("  -")
    assert "STATUS" not in run("ps").out


def test_a_pool_reads_in_one_cell() -> None:
    pool = [
        {"port": 1, "state": "active", "holder": ""},
        {"port": 2, "state": "spare", "holder": ""},
        {"port": 3, "state": "taken", "holder": "leased …", "cause": {"kind": "held", "service": "web", "name": "x"}},
        {"port": 4, "state": "taken", "holder": "in use, owner not visible"},
        {"port": 5, "state": "quarantined", "holder": "not ready in time"},
        {"port": 6, "state": "taken", "holder": "held by …", "cause": {"kind": "held", "name": "node"}},
    ]
    assert pool_words([read(PortStatus, port) for port in pool]) == "1* 2 3!web 4! 5~ 6!node"
    assert pool_words([]) == "-"


def test_json_has_exactly_the_promised_keys_in_a_line_a_service(pretend: Pretend, run: Run) -> None:
    pretend({"status": [answer(row("web"), row("worker", port=6010))]})
    ran = run("status", "--format", "json")
    web, worker = [json.loads(line) for line in ran.out.splitlines()]
    assert ", ".join(web) == KEYS
    assert web["port"] == 6000
    taken = {"port": 6002, "state": "taken", "holder": "held by `node` (pid 77, user ada)"}
    assert worker["pool"][2] == taken | {"cause": NODE}
    assert (ran.code, ran.err) == (0, "")


def test_only_the_services_asked_for_count(pretend: Pretend, run: Run) -> None:
    pretend({"status": [answer(row("web"), row("db", state="stopped", result="success"))]})
    assert run("status", "web").code == 0
    assert run("status", "db").code == ExitCode.NOT_RUNNING
    assert run("status", "-q", "db", "web") == (ExitCode.NOT_RUNNING, "web\ndb\n", "")


@pytest.mark.parametrize(
    ("state", "is_done", "fine"),
    [
        ("running", False, True),
        ("exited", True, True),
        ("exited", False, False),
        ("stopped", False, False),
        ("starting", False, False),
        ("waiting", False, False),
        ("backoff", False, False),
        ("failed", False, False),
        ("terminating", False, False),
    ],
)
def test_fine_is_running_or_done_with_its_work(state: str, is_done: bool, fine: bool) -> None:
    assert read(ServiceStatus, row("web", state=state, is_done=is_done)).is_fine is fine


def test_a_service_that_does_not_exist_is_told_with_the_closest(pretend: Pretend, run: Run) -> None:
    pretend({"status": [answer(row("web"), row("worker"))]})
    ran = run("status", "wbe")
    assert ran.code == ExitCode.NOT_FOUND
    assert ran.err == (
        "error: cannot find `wbe`: the running instance has no such service\n\nhint: did you mean `web`?\n"
    )
    assert "there are: `web`, `worker`" in run("status", "zzz").err


def test_nothing_running_is_told(run: Run) -> None:
    ran = run("status")
    assert ran.code == ExitCode.NOT_FOUND
    assert ran.out == ""
    assert "none is running" in ran.err


def test_warnings_of_the_daemon_are_words(pretend: Pretend, run: Run) -> None:
    pretend({"status": [answer(row("web"), warnings=("services.yaml changed since `up`",))]})
    ran = run("status")
    assert ran.err == "warning: services.yaml changed since `up`\n"
    assert "warning" not in ran.out
    assert run("status", "--format", "json").err == ""


def test_colours_come_only_when_asked_for_in_a_pipe(pretend: Pretend, run: Run) -> None:
    pretend({"status": [answer(row("web"))]})
    assert "\x1b" not in run("status").out
    assert "\x1b[32mrunning\x1b[0m" in run("status", "--color", "always").out


def test_a_narrow_terminal_keeps_name_port_and_state(
    pretend: Pretend, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "width_of", lambda _: 30)
    pretend({"status": [answer(row("web"))]})
    assert run("status").out.splitlines()[0].split() == ["NAME", "PORT", "STATE", "HEALTH"]


def test_a_holder_cannot_write_to_the_terminal(pretend: Pretend, run: Run) -> None:
    pool = [{"port": 6000, "state": "taken", "holder": "held by `\x1b]0;evil\x07` (pid 1)"}]
    pretend({"status": [answer(row("web", pool=pool))]})
    assert "\x1b" not in run("status", "--format", "wide").out


def changes(_: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield answer(row("web", state="starting"))
    yield answer(row("web"))
    yield {"ok": True, "end": True}


def test_watching_in_a_pipe_prints_each_table(pretend: Pretend, run: Run) -> None:
    pretend({"watch": changes})
    ran = run("status", "--watch")
    first, second = ran.out.split("\n\n")
    assert "starting" in first
    assert "running" in second
    assert "\x1b" not in ran.out
    assert ran.code == ExitCode.NOT_FOUND
    assert "the instance has ended" in ran.err


def test_watching_as_json_is_json_lines(pretend: Pretend, run: Run) -> None:
    pretend({"watch": changes})
    ran = run("status", "--watch", "--format", "json")
    assert [json.loads(line)["state"] for line in ran.out.splitlines()] == ["starting", "running"]


def test_watching_on_a_terminal_draws_in_place(pretend: Pretend, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "is_terminal", lambda _: True)
    monkeypatch.setattr(render, "size_of", lambda _: (80, 3))
    monkeypatch.setenv("TERM", "xterm")
    pretend({"watch": [answer(row("a"), row("b"), row("c")), {"ok": True, "end": True}]})
    ran = run("status", "--watch", "--color", "never")
    assert ran.out.startswith("\x1b[2J\x1b[HNAME")
    assert "... 3 more" in ran.out


def test_watching_on_a_terminal_that_only_prints_lines_prints_each_table(
    pretend: Pretend, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "is_terminal", lambda _: True)
    monkeypatch.setenv("TERM", "dumb")
    pretend({"watch": changes})
    ran = run("status", "--watch")
    assert "\x1b" not in ran.out
    assert len(ran.out.split("\n\n")) == 2


def test_ctrl_c_ends_watching_quietly(pretend: Pretend, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(status, "_print", interrupted)
    pretend({"watch": changes})
    assert run("status", "--watch") == (ExitCode.INTERRUPTED, "", "")
