"""Projects as others have them, with a file of another program: brought up by `init` and `up`, and nothing edited.

`newcomer/` has them: web servers, workers and a queue for Compose, a Procfile of several languages, a supervisord.conf
with a web server before two others and one in a directory of its own, an ecosystem of pm2, and units of systemd.
"""

import glob
import importlib.util
import os
import re
import shutil
import socket
import subprocess
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

PATH = f"{os.environ['PATH']}:/usr/sbin"
OF_ROOT = "/var/lib/postgresql/portsup"  # where PostgreSQL's data is, if root runs it
HERE = Path(__file__).parent / "newcomer"


def project(stack: Make, kind: str, file: str, ports: Mapping[str, int], *more: str) -> Live:
    """A copy of one of them, converted; `ports` are those in its files, and which to take in their place.

    `more` are further files to convert; `@HERE@` in them is where the copy is.
    """
    live = stack({})
    shutil.copytree(HERE / kind, live.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for path in live.folder.rglob("*"):
        if path.is_file():
            text = path.read_text().replace("@HERE@", str(live.folder))
            for told, port in ports.items():
                text = re.sub(rf"\b{told}\b", str(port), text)
            path.write_text(text)
    live.env["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
    converted = live.run("init", *(word for each in (file, *more) for word in ("--from", each)), "--force")
    assert converted.returncode == 0, converted.stderr
    made = live.folder / "services.yaml"
    made.write_text(f"name: t\n{made.read_text()}")  # the name that the fixture looks for, and nothing else
    up = live.run("up", "--wait-timeout", "50", "-d")
    assert up.returncode == 0, up.stderr
    return live


def asked(*command: str) -> str:
    """What a client prints."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def answer(port: int, path: str = "") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=50) as got:
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


@pytest.mark.long
def test_a_compose_file_of_images_whose_programs_are_on_this_machine(
    stack: Make, request: pytest.FixtureRequest
) -> None:
    for program, package in (("postgres", "postgresql"), ("mariadbd", "mariadb-server"), ("caddy", "caddy")):
        need(shutil.which(program, path=PATH) or glob.glob("/usr/lib/postgresql/*/bin/postgres"), program, package)
    need(glob.glob("/usr/sbin/php-fpm*"), "php-fpm", "apt install php-fpm")
    for program in ("nginx", "memcached", "psql", "mariadb"):
        need_program(program)
    told = ("15400", "15410", "15420", "15430", "15440", "15450")
    db, maria, memory, api, web, edge = (free_pool(1)[0] for _ in told)
    ports = dict(zip(told, (db, maria, memory, api, web, edge), strict=True))

    def remove_data_of_root() -> None:
        for place in glob.glob(f"{OF_ROOT}-{live.folder.name}"):
            shutil.rmtree(place)

    request.addfinalizer(remove_data_of_root)
    live = project(stack, "images", "docker-compose.yml", ports)
    for path in ("", "api/"):
        assert [answer(port, path) for port in (web, edge)] == ["hello\n", "hello\n"]
    assert answer(web, "hello.php") == "php at 127.0.0.1\n"
    assert asked("psql", f"postgres://shop:let%20me%20in@127.0.0.1:{db}/goods", "-Atc", "select * from told") == "made"
    as_shop = ["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{maria}", "-Ne"]
    assert asked(*as_shop, "select * from told", "-ushop", "-pit's", "goods") == "made"
    assert asked(*as_shop, "select 1", "-uroot", "-pa'b\\c") == "1"
    with socket.create_connection(("127.0.0.1", memory), 50) as client:
        client.sendall(b"version\r\n")
        assert client.recv(99).startswith(b"VERSION")
    restarted = live.run("restart", "db")
    assert restarted.returncode == 0, restarted.stderr
    assert asked("psql", f"postgres://shop:let%20me%20in@127.0.0.1:{db}/goods", "-Atc", "select * from told") == "made"


def test_a_procfile_of_several_languages(stack: Make) -> None:
    need_program("node", "nodejs")
    need_program("ruby")
    first, second = free_pool(203), free_pool(1)  # it gives ports 100 apart
    live = project(stack, "procfile", "Procfile", {"15200": first[0], "15100": second[0]})
    assert answer(first[0]) == "production postgres://localhost/x y"
    assert answer(second[0]) == "api production"
    eventually(lambda: f"working on {live.rows()['worker']['port']}" in live.log("worker"), what="what it says")
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


def test_a_supervisord_conf_in_a_directory_of_the_project(stack: Make) -> None:
    (port,) = free_pool(1)
    live = project(stack, "elsewhere", "docker/supervisord.conf", {"15500": port})
    rows = live.rows()
    assert answer(rows["api"]["port"]) == "good day from app, all of it"
    assert rows["ticker"]["state"] == "running"
    eventually(lambda: "ticks for docker True" in live.log("ticker"), what="what it says")


def test_an_ecosystem_of_pm2_with_a_cluster(stack: Make) -> None:
    need_program("node", "nodejs")
    api, admin = free_pool(1)[0], free_pool(1)[0]
    live = project(stack, "pm2", "ecosystem.config.js", {"15600": api, "15610": admin})
    rows = live.rows()
    both = rows["api"]["port"]
    eventually(lambda: len({answer(both) for _ in range(5)}) == 2, within=50, what="an answer of each of both")
    said = answer(rows["admin"]["port"])
    assert (said.startswith("api says "), said.endswith(" development")) == (True, True)
    eventually(lambda: live.rows()["report"]["state"] == "exited", what="its end")
    assert live.log("report") == "reported\n"


def test_units_of_systemd_with_a_socket(stack: Make) -> None:
    need(importlib.util.find_spec("gunicorn"), "gunicorn", "pip install -e .[dev]")
    (port,) = free_pool(1)
    live = project(stack, "systemd", "deploy/shop.service", {"15700": port}, "deploy/queue.service")
    assert answer(live.rows()["shop"]["port"]) == "hello"
    eventually(lambda: "high default True" in live.log("queue"), what="what it says")
    assert {row["state"] for row in live.rows().values()} == {"running"}
