"""Programs that nobody here wrote, killed and restarted under the handoff while a client keeps calling."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from supervisor.process.filters import why_not
from tests.live.conftest import Make
from tests.support.caller import caller
from tests.support.eventually import eventually
from tests.support.needed import need
from tests.support.ports import free_pool
from tests.support.thief import thief, ways_in

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=f"no handoff here: {why_not()}")]

HTTP = b"GET / HTTP/1.0\r\n\r\n"
DEVTOOLS = b"GET /json/version HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
KILLS = 3
EARLY = Path(__file__).parents[1] / "programs" / "early"


@dataclass(frozen=True, slots=True)
class Case:
    """A server: its command for a folder and a port, what a client says to it, and where it listens."""

    command: Callable[[Path, int], Sequence[str]]
    request: bytes = HTTP
    needs: str = ""  # a program, or a module with a leading dot
    hosts: tuple[str, ...] = ("127.0.0.1",)
    cuts: int = 200  # connections that the killed process may have taken along


def nginx(folder: Path, port: int, more: str = "") -> Sequence[str]:
    config = folder / "nginx.conf"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in kinds)  # else only root may create them
    config.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log stderr; worker_processes 2; events {{}}\n"
        f"http {{ access_log off; {paths}server {{ listen 127.0.0.1:{port}{more}; listen [::1]:{port}{more};"
        f" location / {{ return 200 'nginx'; }} }} }}\n"
    )
    return ["nginx", "-p", str(folder), "-c", str(config)]


def haproxy(folder: Path, port: int) -> Sequence[str]:
    config = folder / "haproxy.cfg"
    config.write_text(
        "defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n"
        f"frontend f\n bind 127.0.0.1:{port}\n"
        ' http-request return status 200 content-type text/plain string "haproxy"\n'
    )
    return ["haproxy", "-db", "-f", str(config)]


def lighttpd(folder: Path, port: int) -> Sequence[str]:
    config = folder / "lighttpd.conf"
    config.write_text(f'server.port={port}\nserver.bind="127.0.0.1"\nserver.document-root="{folder}"\n')
    return ["lighttpd", "-D", "-f", str(config)]


def java(folder: Path, port: int) -> Sequence[str]:
    source = folder / "Web.java"
    source.write_text("""
        import com.sun.net.httpserver.*; import java.net.*;
        public class Web { public static void main(String[] words) throws Exception {
            HttpServer server = HttpServer.create(new InetSocketAddress(Integer.parseInt(System.getenv("PORT"))), 0);
            server.createContext("/", exchange -> {
                exchange.sendResponseHeaders(200, 4); exchange.getResponseBody().write("java".getBytes());
                exchange.close(); });
            server.start(); } }""")
    if not (folder / "Web.class").exists() and shutil.which("javac"):
        subprocess.run(["javac", "-d", str(folder), str(source)], check=True, timeout=60)
    return ["java", "-cp", str(folder), "Web"] if (folder / "Web.class").exists() else ["java", str(source)]


def java_nio(folder: Path, port: int) -> Sequence[str]:
    subprocess.run(["javac", "-d", str(folder), str(EARLY / "Nio.java")], check=True, timeout=60)
    return ["java", "-cp", str(folder), "Nio"]


def asio(folder: Path, port: int) -> Sequence[str]:
    made = folder / "asio"
    subprocess.run(["g++", "-O0", "-o", made, EARLY / "asio.cpp", "-lpthread"], check=True, timeout=100)
    return [str(made)]


def go(folder: Path, port: int) -> Sequence[str]:
    made = folder / "two"
    caches = {"GOCACHE": str(folder / "cache"), "GOFLAGS": "-mod=mod", "GO111MODULE": "off", "HOME": str(folder)}
    subprocess.run(["go", "build", "-o", made, EARLY / "two.go"], check=True, timeout=100, env={**os.environ, **caches})
    return [str(made)]


def caddy(folder: Path, port: int) -> Sequence[str]:
    config = folder / "Caddyfile"
    config.write_text(f"{{\n admin off\n auto_https off\n}}\nhttp://127.0.0.1:{port} {{\n respond caddy\n}}\n")
    return ["env", f"HOME={folder}", "caddy", "run", "--config", str(config), "--adapter", "caddyfile"]


def chromium(folder: Path, port: int) -> Sequence[str]:
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
    profile = f"--user-data-dir={folder / 'profile'}"
    sandbox = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
    return ["chromium", *sandbox, *quiet, profile, f"--remote-debugging-port={port}", "about:blank"]


def asgi(folder: Path, port: int, *options: str) -> Sequence[str]:
    (folder / "app.py").write_text(
        "async def app(scope, receive, send):\n"
        "    if scope['type'] == 'http':\n"
        "        await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "        await send({'type': 'http.response.body', 'body': b'asgi'})\n"
    )
    return [sys.executable, "-m", "uvicorn", "--app-dir", str(folder), "--port", str(port), *options, "app:app"]


def gunicorn(folder: Path, port: int, *options: str) -> Sequence[str]:
    place = f"127.0.0.1:{port}"
    return [sys.executable, "-m", "gunicorn", "-w", "3", "-b", place, *options, "wsgiref.simple_server:demo_app"]


def cluster(folder: Path, port: int) -> Sequence[str]:
    script = folder / "cluster.js"
    script.write_text(
        f"const c = require('cluster'); if (c.isPrimary) {{ c.fork(); c.fork() }} else {ANSWER}"
        ".listen(+process.env.PORT, '127.0.0.1')"
    )
    return ["node", str(script)]


def node(code: str) -> Callable[[Path, int], Sequence[str]]:
    return lambda folder, port: ["node", "-e", code]


ANSWER = "require('http').createServer((q, r) => r.end('node ' + process.pid))"
BOTH = ("127.0.0.1", "::1")
ASYNCIO = """
import asyncio, os
async def answer(reader, writer):
    await reader.readline(); writer.write(b"asyncio"); writer.close()
async def main():
    server = await asyncio.start_server(answer, None, int(os.environ["PORT"]))
    await server.serve_forever()
asyncio.run(main())
"""
AIOHTTP = """
import os
from aiohttp import web
async def answer(request):
    return web.Response(text="aiohttp")
app = web.Application()
app.add_routes([web.get("/", answer)])
web.run_app(app, host=["127.0.0.1", "::1"], port=int(os.environ["PORT"]), print=None)
"""
PROGRAMS = {
    "nginx": Case(nginx, needs="nginx", hosts=BOTH),
    "nginx-reuseport": Case(lambda folder, port: nginx(folder, port, " reuseport"), needs="nginx", hosts=BOTH),
    "redis": Case(
        lambda folder, port: ["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1", "-::1"],
        b"PING\r\n", "redis-server", BOTH,
    ),
    "memcached": Case(
        lambda folder, port: ["memcached", "-u", "root", "-p", str(port), "-l", "127.0.0.1", "-U", "0"],
        b"version\r\n", "memcached",
    ),
    "haproxy": Case(haproxy, needs="haproxy"),
    "lighttpd": Case(lighttpd, needs="lighttpd"),
    "java": Case(java, needs="java", hosts=BOTH),
    "etcd": Case(
        lambda folder, port: [
            "etcd", "--data-dir", str(folder / "etcd"), "--listen-client-urls", f"http://127.0.0.1:{port}",
            "--advertise-client-urls", f"http://127.0.0.1:{port}", "--listen-peer-urls", "http://127.0.0.1:0",
        ],
        b"GET /version HTTP/1.0\r\n\r\n", "etcd",
    ),
    "java-nio": Case(java_nio, b"", "javac"),
    "boost-asio": Case(asio, b"", "g++"),
    "go": Case(go, b"", "go", hosts=BOTH),
    "caddy": Case(caddy, needs="caddy"),
    "authbind": Case(
        lambda _, port: ["authbind", sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)],
        needs="authbind",
    ),
    "epmd": Case(
        lambda _, port: ["epmd", "-port", str(port), "-address", "127.0.0.1"], b"\0\1n", "epmd", hosts=BOTH
    ),
    "chromium": Case(chromium, DEVTOOLS, "chromium"),
    "gunicorn": Case(gunicorn, needs=".gunicorn"),
    "gunicorn-reuseport": Case(lambda folder, port: gunicorn(folder, port, "--reuse-port"), needs=".gunicorn"),
    "uvicorn": Case(asgi, needs=".uvicorn"),
    "uvicorn-2": Case(lambda folder, port: asgi(folder, port, "--workers", "2"), needs=".uvicorn"),
    "node": Case(node(f"{ANSWER}.listen(+process.env.PORT)"), needs="node", hosts=BOTH),
    "node-v4": Case(node(f"{ANSWER}.listen(+process.env.PORT, '127.0.0.1')"), needs="node"),
    "node-cluster": Case(cluster, needs="node"),
    "http.server": Case(lambda _, port: [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]),
    "asyncio": Case(lambda folder, port: [sys.executable, "-c", ASYNCIO], hosts=BOTH),
    "aiohttp": Case(lambda _, port: [sys.executable, "-c", AIOHTTP], needs=".aiohttp", hosts=BOTH),
}  # fmt: skip


def is_missing(case: Case) -> bool:
    if case.needs.startswith("."):
        return importlib.util.find_spec(case.needs[1:]) is None
    return bool(case.needs) and shutil.which(case.needs, path=f"{os.environ['PATH']}:/usr/sbin") is None


@pytest.mark.parametrize("name", PROGRAMS)
def test_its_port_stays_its_own_and_its_clients_are_served(stack: Make, own_folders: Path, name: str) -> None:
    case = PROGRAMS[name]
    need(not is_missing(case), f"`{case.needs.lstrip('.')}`", "`.ci/run` installs it")
    (port,) = free_pool(1)
    command = [str(word) for word in case.command(own_folders, port)]
    path = {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
    policy = {"delay": 0, "max_restarts": 100}
    live = stack({"web": {"command": command, "pool": [port], "environment": path, "restart_policy": policy}})
    with live.up():
        for host in case.hosts:
            with socket.create_connection((host, port), 10) as connection:
                connection.sendall(case.request)
                assert connection.recv(64), host
        with caller(port, case.request) as calls, thief([port]) as loot:
            for _ in range(KILLS):
                before = live.until("web", state="running")["pid"]
                answered = calls.answered
                os.kill(before, signal.SIGKILL)
                eventually(lambda before=before: live.rows()["web"]["pid"] not in (before, None))  # type: ignore[misc]
                live.until("web", state="running")
                eventually(lambda answered=answered: calls.answered > answered + 1)  # type: ignore[misc]
            live.do("restart", "web", timeout=5)
            answered = calls.answered
            eventually(lambda: calls.answered > answered + 1)
        assert (calls.refused, calls.late, calls.strange) == (0, 0, [])
        assert calls.cut <= case.cuts
        assert (loot.won, ways_in(port)) == ({}, [])
        assert live.rows()["web"]["restarts"] == KILLS
        print(f"{name}: {calls}")
