"""The commands that print one thing for scripts: port, url, env, ports, ls."""

import json
import time

import pytest

from supervisor.cli.commands import ls
from supervisor.errors import ExitCode
from supervisor.ports.lockfile import FileLock
from supervisor.ports.record import Owner, Record
from supervisor.ports.runtime import RuntimeDir
from supervisor.system import Identity
from tests.cli.conftest import Pretend, Run, info
from tests.support.fake_daemon import refusal, row
from tests.support.fake_daemon import status as answer

pytestmark = pytest.mark.live


def test_port_and_url_are_data_alone(pretend: Pretend, run: Run) -> None:
    pretend({"status": [answer(row("web", port=6001, url="http://127.0.0.1:6001"))]})
    assert run("port", "web") == (0, "6001\n", "")
    assert run("url", "web") == (0, "http://127.0.0.1:6001\n", "")


def test_a_service_that_is_not_ready_has_its_port_with_a_warning(pretend: Pretend, run: Run) -> None:
    pretend({"status": [answer(row("web", state="starting"))]})
    assert run("port", "web") == (0, "6000\n", "warning: `web` is starting, not running\n")


def test_a_service_without_a_port_has_no_answer(pretend: Pretend, run: Run) -> None:
    pretend({"status": [answer(row("web", state="failed", port=None, url=None, reason="all ports are taken"))]})
    ran = run("port", "web")
    assert (ran.code, ran.out) == (ExitCode.FAILURE, "")
    assert "cannot print the port of `web`: it is failed: all ports are taken" in ran.err
    assert "cannot print the url of `web`" in run("url", "web").err


def test_the_port_of_no_service_is_told(pretend: Pretend, run: Run) -> None:
    pretend({"status": [answer(row("web"))]})
    assert run("port", "wob").code == ExitCode.NOT_FOUND


ENVIRONMENT = {
    "PORT": "6000",
    "GROQ_API_KEY": "gsk-1234567",
    "DATABASE_URL": "postgres://ada:pa55word@db/shop",
    "BANNER": "it's\ntwo lines",
    "MINE": "listed by the daemon",
}
ENV = {"env": [{"ok": True, "environment": ENVIRONMENT, "secret": ["MINE"]}]}


def test_env_hides_secrets(pretend: Pretend, run: Run) -> None:
    daemon = pretend(ENV)
    ran = run("env", "web")
    assert daemon.asked == [{"v": 1, "do": "env", "service": "web"}]
    assert ran.out.splitlines() == [
        "BANNER='it'\"'\"'s",
        "two lines'",
        "DATABASE_URL=postgres://ada:***@db/shop",
        "GROQ_API_KEY=***",
        "MINE=***",
        "PORT=6000",
    ]


def test_env_reveals_when_asked(pretend: Pretend, run: Run) -> None:
    pretend(ENV)
    ran = run("env", "--reveal", "--format", "json")
    assert {one["name"]: one["value"] for one in map(json.loads, ran.out.splitlines())} == ENVIRONMENT


def test_env_as_json_marks_what_is_hidden(pretend: Pretend, run: Run) -> None:
    pretend(ENV)
    variables = [json.loads(line) for line in run("env", "--format", "json").out.splitlines()]
    assert {"name": "GROQ_API_KEY", "value": "***", "secret": True} in variables
    assert {"name": "PORT", "value": "6000", "secret": False} in variables


def test_env_for_a_shell_leaves_hidden_variables_out(pretend: Pretend, run: Run) -> None:
    pretend(ENV)
    ran = run("env", "--export")
    assert ran.out == "export BANNER='it'\"'\"'s\ntwo lines'\nexport PORT=6000\n"
    assert "DATABASE_URL, GROQ_API_KEY, MINE; --reveal" in ran.err
    assert "export GROQ_API_KEY=gsk-1234567\n" in run("env", "--export", "--reveal").out


def test_env_for_a_shell_leaves_out_what_a_shell_cannot_name(pretend: Pretend, run: Run) -> None:
    odd = {"BASH_FUNC_f%%": "() { :; }", "npm.config": "1", "A": "b"}
    pretend({"env": [{"ok": True, "environment": odd, "secret": []}]})
    ran = run("env", "--export")
    assert (ran.code, ran.out) == (0, "export A=b\n")
    assert "BASH_FUNC_f%%, npm.config; `--format json` has them" in ran.err


def test_env_of_no_service_is_the_daemons_refusal(pretend: Pretend, run: Run) -> None:
    pretend({"env": [refusal("cannot find `wob`", exit_code=4)]})
    assert run("env", "wob").code == ExitCode.NOT_FOUND


def test_ports_of_an_instance_name_who_has_them(pretend: Pretend, run: Run) -> None:
    pretend({"status": [answer(row("web"))]})
    assert run("ports").out.splitlines() == [
        "PORT  SERVICE  STATE    PID  HOLDER",
        "6000  web      active  4121  -",
        "6001  web      spare      -  -",
        "6002  web      taken      -  held by `node` (pid 77, user ada)",
    ]
    first = json.loads(run("ports", "--format", "json").out.splitlines()[0])
    assert first == {
        "port": 6000,
        "stack": "shop",
        "instance": 1,
        "service": "web",
        "state": "active",
        "holder": "",
        "pid": 4121,
    }


def test_ports_of_the_machine_are_those_whose_lock_is_held(run: Run) -> None:
    assert run("ports", "--all") == (0, "", "no port is leased\n")
    runtime = RuntimeDir.open()
    owner = Owner("shop", 2, "web", "r-1", Identity(4121, 5.0))
    for port in (6100, 6101, 6000):
        Record.of(port, owner, since=time.time() - 65).write(runtime.port_record(port))
    locks = [FileLock(runtime.port_lock(port)) for port in (6100, 6101, 6102)]
    assert all(lock.acquire() for lock in locks)
    locks[1].release()  # what its record says is no longer true
    try:
        assert run("ports", "--all").out.splitlines() == [
            "PORT  STACK  INSTANCE  SERVICE   PID  SINCE",
            "6100  shop          2  web      4121  1m05s",
            "6102  -             -  -           -      -",
        ]
        known, unknown = [json.loads(line) for line in run("ports", "--all", "--format", "json").out.splitlines()]
        assert (known["port"], known["stack"], known["run_id"]) == (6100, "shop", "r-1")
        assert (unknown["port"], unknown["stack"]) == (6102, None)
    finally:
        for lock in locks:
            lock.release()
        runtime.close()


def test_ls_lists_what_runs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    both = [info(instance=2, started_at=time.time() - 3600), info(stack="mail", started_at=time.time())]
    monkeypatch.setattr(ls, "instances", lambda: both)
    assert run("ls").out.splitlines() == [
        "STACK  INSTANCE  PID  UPTIME  FILE",
        "mail          1   77      0s  /srv/shop/services.yaml",
        "shop          2   77   1h00m  /srv/shop/services.yaml",
    ]
    assert run("ls", "--quiet").out.split() == sorted({str(each.instance) for each in both})
    mail = json.loads(run("ls", "--format", "json").out.splitlines()[0])
    assert list(mail) == ["stack", "instance", "pid", "uptime_s", "directory", "file", "over", "socket", "run_id"]


def test_ls_of_nothing_is_no_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ls, "instances", list)
    assert run("ls") == (0, "", "no instance is running\n")
    assert run("ls", "--format", "json") == (0, "", "")
