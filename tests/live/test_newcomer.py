"""Projects as others have them, with a file of another program: brought up by `init` and `up`, and nothing edited.

`newcomer/` has them: web servers, workers and a queue for Compose, a Procfile of several languages, and a
supervisord.conf with a web server before two others.
"""

import importlib.util
import os
import re
import shutil
import socket
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.live.conftest import Make
from tests.live.stack import Live
from tests.support.eventually import eventually
from tests.support.needed import need, need_program
from tests.support.ports import free_pool

pytestmark = pytest.mark.live

HERE = Path(__file__).parent / "newcomer"


def project(stack: Make, kind: str, file: str, ports: Mapping[str, int]) -> Live:
    """A copy of one of them, converted; `ports` are those in its files, and which to take in their place."""
    live = stack({})
    shutil.copytree(HERE / kind, live.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for path in live.folder.rglob("*"):
        if path.is_file():
            text = path.read_text()
            for told, port in ports.items():
                text = re.sub(rf"\b{told}\b", str(port), text)
            path.write_text(text)
    live.env["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
    converted = live.run("init", "--from", file, "--force")
    assert converted.returncode == 0, converted.stderr
    made = live.folder / "services.yaml"
    made.write_text(f"name: t\n{made.read_text()}")  # the name that the fixture looks for, and nothing else
    up = live.run("up", "--wait-timeout", "50", "-d")
    assert up.returncode == 0, up.stderr
    return live


def answer(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=50) as got:
        text: str = got.read().decode()
        return text


def test_a_compose_file_with_a_web_server_a_worker_and_a_queue(stack: Make) -> None:
    need_program("redis-server")
    need_program("redis-cli", "redis-tools")
    for module in ("celery", "redis", "gunicorn"):
        need(importlib.util.find_spec(module), module, "pip install -e .[dev]")
    outer, inner = free_pool(1), free_pool(1)
    live = project(stack, "compose", "docker-compose.yml", {"15000": outer[0], "5000": inner[0]})
    assert answer(live.rows()["web"]["port"]) == "hello 5", "asked through the queue, which its worker answers"
    rows = live.rows()
    assert (rows["web"]["health"], rows["redis"]["health"]) == ("healthy", "healthy")
    assert rows["beat"]["state"] == "stopped", "its profile was not asked for"
    assert rows["web"]["port"] == outer[0]


def test_a_procfile_of_several_languages(stack: Make) -> None:
    need_program("node", "nodejs")
    need_program("ruby")
    first, second = free_pool(203), free_pool(1)  # it gives ports 100 apart
    live = project(stack, "procfile", "Procfile", {"15200": first[0], "15100": second[0]})
    assert answer(first[0]) == "production postgres://localhost/x y"
    assert answer(second[0]) == "api production"
    assert f"working on {live.rows()['worker']['port']}" in live.log("worker")
    assert {row["state"] for row in live.rows().values()} == {"running"}
    os.kill(live.rows()["js"]["pid"], 15)
    live.ended(within=50)  # as foreman ends all with one


def test_a_supervisord_conf_with_nginx_php_and_gunicorn(stack: Make) -> None:
    need_program("nginx")
    need_program("php-fpm8.2", "php8.2-fpm")
    need(importlib.util.find_spec("gunicorn"), "gunicorn", "pip install -e .[dev]")
    ports = free_pool(3)
    live = project(stack, "supervisord", "supervisord.conf", dict(zip(("15300", "15301", "15302"), ports, strict=True)))
    eventually(lambda: all(map(is_open, ports)), within=50)
    assert answer(ports[0]) == "good day, all production"
    with urllib.request.urlopen(f"http://127.0.0.1:{ports[0]}/index.php", timeout=50) as got:
        assert got.read() == b"php production"
    assert {row["state"] for row in live.rows().values()} == {"running"}


def is_open(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
