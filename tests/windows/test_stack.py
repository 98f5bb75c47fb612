"""A stack that runs under wine, and every command that is used with one."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.ports import free_pool
from tests.support.running import ROOT
from tests.windows.wine import Running, Wine, eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

SERVER = """\
import http.server, os, sys

class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.environ.get("GREETING", "hello").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/die":
            os._exit(3)

print("listens on", sys.argv[1], flush=True)
print("told by stderr", file=sys.stderr, flush=True)
http.server.ThreadingHTTPServer.server_bind = lambda self: __import__("socketserver").TCPServer.server_bind(self)
http.server.ThreadingHTTPServer((os.environ["HOST"], int(sys.argv[1])), Answers).serve_forever()
"""
STACK = """\
name: tried
services:
  api:
    command: [python, -u, server.py, "{{port}}"]
    pool: [{api}]
    environment: {{GREETING: good day}}
    ready: {{http: /, timeout: 120s}}
    stop_grace_period: 1s
    restart_policy: {{delay: 0.1s}}
  web:
    command: [python, -u, server.py, "{{port}}"]
    pool: [{web}]
    depends_on: [api]
    environment: {{API: "{{url:api}}"}}
    ready: {{timeout: 120s}}
    stop_grace_period: 1s
  idle:
    command: [python, -u, -c, "import time; print('idle'); time.sleep(3600)"]
    stop_grace_period: 1s
"""


class Stack:
    def __init__(self, wine: Wine, folder: Path) -> None:
        self.wine, self.folder = wine, folder
        self.api, self.web = free_pool(3), free_pool(2)
        (folder / "server.py").write_text(SERVER)
        words = STACK.format(api=", ".join(map(str, self.api)), web=", ".join(map(str, self.web)))
        (folder / "services.yaml").write_text(words)
        self.up: Running = wine.start("up", cwd=folder)
        self.up.until("is up after")

    def ask(self, *words: str, code: int = 0) -> str:
        done = self.wine.portsup(*words, cwd=self.folder)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def row(self, service: str) -> dict[str, Any]:
        done = self.wine.portsup("status", service, "--format", "json", cwd=self.folder)
        assert done.returncode in (0, 3), done.stdout + done.stderr  # 3: it does not serve just now
        return dict(json.loads(done.stdout))


def get(port: int, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return str(answer.read().decode())


@pytest.fixture(scope="module")
def stack(wine: Wine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    made = Stack(wine, tmp_path_factory.mktemp("stack"))
    yield made
    wine.portsup("down", cwd=made.folder)


def test_up_says_what_is_where(stack: Stack) -> None:
    said = stack.up.output
    assert re.search(rf"api +{stack.api[0]} +running +http://127.0.0.1:{stack.api[0]}", said)
    assert "stack `tried` instance 1 is up" in said


def test_up_shows_what_services_print_on_both_streams(stack: Stack) -> None:
    assert f"api  | listens on {stack.api[0]}" in stack.up.output
    assert "api  | told by stderr" in stack.up.output


def test_a_service_answers_on_its_port(stack: Stack) -> None:
    assert get(stack.api[0]) == "good day"


def test_status_has_a_row_for_each_service(stack: Stack) -> None:
    said = stack.ask("status")
    assert [line.split()[0] for line in said.splitlines()[1:4]] == ["api", "web", "idle"]
    assert said.count("running") == 3


def test_status_tells_the_port_and_the_process(stack: Stack) -> None:
    row = stack.row("api")
    assert (row["port"], row["state"], row["url"]) == (stack.api[0], "running", f"http://127.0.0.1:{stack.api[0]}")
    assert row["pid"] > 0
    assert [each["port"] for each in row["pool"]] == list(stack.api)


def test_port_and_url(stack: Stack) -> None:
    assert stack.ask("port", "web").strip() == str(stack.web[0])
    assert stack.ask("url", "web").strip() == f"http://127.0.0.1:{stack.web[0]}"


def test_ls_names_the_instance_and_its_folder(stack: Stack) -> None:
    said = stack.ask("ls")
    assert "tried" in said
    assert stack.folder.name in said


def test_env_leads_to_the_services(stack: Stack) -> None:
    assert f"http://127.0.0.1:{stack.api[0]}" in stack.ask("env", "web")


def test_logs_have_what_a_service_printed(stack: Stack) -> None:
    assert f"listens on {stack.api[0]}" in stack.ask("logs", "api")


def test_logs_of_all_name_the_service(stack: Stack) -> None:
    said = stack.ask("logs")
    assert "idle | idle" in said
    assert f"web  | listens on {stack.web[0]}" in said


def test_logs_can_be_searched(stack: Stack) -> None:
    assert stack.ask("logs", "api", "--grep", "by std...$", "--no-prefix").split() == ["told", "by", "stderr"]


def test_events_tell_how_it_came_up(stack: Stack) -> None:
    said = stack.ask("events")
    assert "spawned" in said
    assert "ready" in said


def test_why_tells_the_story_of_a_service(stack: Stack) -> None:
    assert "api" in stack.ask("why", "api")


def test_a_service_that_is_not_there_is_code_4(stack: Stack) -> None:
    assert "nobody" in stack.ask("restart", "nobody", code=4)


def test_doctor_finishes(stack: Stack) -> None:
    done = stack.wine.portsup("doctor", cwd=stack.folder)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert "mistake in portsup" not in done.stdout + done.stderr


def test_config_check_passes(stack: Stack) -> None:
    stack.ask("config", "check")


def test_files_for_containers_are_the_same_as_on_linux(stack: Stack) -> None:
    for target in ("compose", "kubernetes"):
        words = ("export", target, "--image", "shop:1")
        here = subprocess.run(
            [sys.executable, "-m", "supervisor", *words], cwd=stack.folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        made = stack.ask(*words, "-o", f"made-{target}")
        assert "not the same there" in made
        [file] = (stack.folder / f"made-{target}").iterdir()
        assert file.read_text(encoding="utf-8") == here.stdout


def test_ports_shows_who_has_one(stack: Stack) -> None:
    assert "api" in stack.ask("ports")


def test_a_crash_is_mended_on_the_same_port(stack: Stack) -> None:
    before = stack.row("api")["pid"]
    assert get(stack.api[0], "/die") == "good day"
    eventually(
        lambda: (row := stack.row("api"))["state"] == "running" and row["pid"] not in (None, before), within=60
    )
    row = stack.row("api")
    assert (row["port"], row["restarts"]) == (stack.api[0], 1)
    assert get(stack.api[0]) == "good day"


def test_the_crash_is_told_with_its_code(stack: Stack) -> None:
    assert "3" in stack.ask("events", "api")
    assert "exit code 3" in stack.up.output or "code 3" in stack.up.output


def test_restart_gives_a_new_process(stack: Stack) -> None:
    before = stack.row("web")["pid"]
    stack.ask("restart", "web")
    assert stack.row("web")["pid"] != before


def test_rotate_moves_it_to_the_next_port(stack: Stack) -> None:
    stack.ask("rotate", "api")
    assert stack.row("api")["port"] == stack.api[1]
    assert get(stack.api[1]) == "good day"


def test_the_port_that_was_left_is_free_of_it(stack: Stack) -> None:
    with pytest.raises(OSError, match=r"refused|timed"):
        get(stack.api[0])


def test_dependants_are_told_the_new_port(stack: Stack) -> None:
    assert f"http://127.0.0.1:{stack.api[1]}" in stack.ask("env", "web")


def test_stop_and_start(stack: Stack) -> None:
    stack.ask("stop", "idle")
    assert "stopped" in stack.ask("status", code=3)
    stack.ask("start", "idle")
    assert stack.row("idle")["state"] == "running"


def test_a_second_up_is_the_second_instance(stack: Stack) -> None:
    second = stack.wine.start("up", "api", cwd=stack.folder)
    said = second.until("is up after")
    assert "instance 2" in said
    assert get(stack.api[0] + 100) == "good day"
    stack.ask("down", "--instance", "2")
    assert second.wait() == 0


def test_the_number_of_a_running_instance_is_taken(stack: Stack) -> None:
    stack.ask("--instance", "1", "up", code=14)


def test_a_dry_run_starts_nothing(stack: Stack) -> None:
    assert "instance 2" in stack.ask("up", "--dry-run")


def test_wait_returns_when_it_is_ready(stack: Stack) -> None:
    stack.ask("wait", "api", "--timeout", "60")


def test_metrics_name_each_service(stack: Stack) -> None:
    assert 'service="web"' in stack.ask("metrics")


def test_reload_takes_a_changed_file(stack: Stack) -> None:
    file = stack.folder / "services.yaml"
    file.write_text(file.read_text().replace("good day", "good night"))
    stack.ask("reload")
    eventually(lambda: stack.row("api")["state"] == "running")
    assert get(stack.row("api")["port"]) == "good night"


def test_down_ends_it_with_code_0(stack: Stack) -> None:
    stack.ask("down")
    assert stack.up.wait() == 0
    assert "none is running" in stack.ask("status", code=4)


def test_nothing_listens_any_more(stack: Stack) -> None:
    for port in (*stack.api, *stack.web):
        with pytest.raises(OSError, match=r"refused|timed"):
            get(port)
