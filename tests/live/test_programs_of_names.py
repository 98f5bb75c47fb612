"""Names for services, answered for by one proxy: real stacks, and the Caddy that is installed."""

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live.naming import HTTP, LONG, Named, http_service
from tests.live.stack import Live
from tests.support.eventually import eventually
from tests.support.ports import free_pool

pytestmark = pytest.mark.live


@pytest.fixture
def test_one_proxy_answers_for_all_stacks_and_ends_with_the_last(named: Named) -> None:
    ports = free_pool(12)
    first = named.stack(
        {"api": {"command": HTTP, "pool": list(ports[:3])}, "my_job": {"command": ["sleep", "1000"]}},
        instances={"stride": 6},
    )
    other = named.stack({"api_v2": http_service()}, folder="q", name="u")
    with first.up(), first.up(), other.up():
        named.served("api")
        (proxy,) = named.proxies()
        named.served("api", instance=2)
        named.served("api_v2", "u")
        assert named.url("api") == f"http://api.t.localhost:{named.port}"
        assert named.url("my_job") is None
        asked = first.run("--instance", "2", "url", "api", "--name")
        assert asked.stdout == f"http://api.2.t.localhost:{named.port}\n", asked.stderr
        refused = first.run("--instance", "1", "url", "my_job", "--name")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert named.ask("api.t.localhost")[1].startswith("t 1 api.t.localhost ")
        assert named.ask("api.2.t.localhost")[1].startswith("t 2 ")
        assert named.ask(f"API-V2.U.localhost:{named.port}")[1].startswith("u 1 ")
        status, told = named.ask("nothing.localhost", headers={"Accept": "application/json"})
        urls = [each["url"] for each in json.loads(told)["names"]]
        assert (status, urls) == (404, [f"http://{n}.localhost:{named.port}" for n in ("api-v2.u", "api.2.t", "api.t")])
        status, told = named.ask("example.com")  # a page that leads a browser here
        assert (status, "api" in told) == (421, False)
        for name in ("*.t.localhost", "..localhost", "api.t.localhost.example.com"):
            assert named.ask(name)[0] in (404, 421)

        assert first.run("--instance", "1", "down").returncode == 0
        assert named.ask("api.t.localhost")[0] == 404
        assert named.ask("api.2.t.localhost")[0] == named.ask("api-v2.u.localhost")[0] == 200
        assert named.proxies() == [proxy]
    named.ended()
    assert named.places.listed() == []


def test_up_returns_when_the_names_answer(named: Named) -> None:
    live = named.stack({"web": http_service()})
    with contextlib.ExitStack() as ended:
        ended.callback(live.end)
        up = live.run("up", "-d")
        assert named.ask("web.t.localhost")[0] == 200
        assert up.stderr.splitlines()[-1] == f"the services have names: http://SERVICE.t.localhost:{named.port}"
        assert live.run("url", "web", "--name").stdout == f"http://web.t.localhost:{named.port}\n"


def test_who_is_down_tells_why_and_who_starts_is_waited_for(named: Named) -> None:
    gate = f"until test -e go; do sleep 0.05; done; exec {' '.join(HTTP)}"
    live = named.stack({
        "late": {"command": ["sh", "-c", gate], "pool": list(free_pool(3))},
        "broken": {"command": ["false"], "pool": list(free_pool(3)), "restart": "never"},
    })  # fmt: skip
    with live.foreground() as up:
        named.served("late")
        live.until("broken", state="failed")
        status, told = named.ask("broken.t.localhost", headers={"Accept": "text/html"})
        assert status == 502
        assert "broken of t does not answer" in told
        assert "<code>portsup why broken</code>" in told
        connection = named.connect()
        with contextlib.closing(connection):
            connection.request("POST", "/", b"body", {"Host": "late.t.localhost"})
            (live.folder / "go").touch()
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b"4")
        live.do("stop", "late")
        assert named.ask("late.t.localhost") == (
            502, "late of t does not answer\nit is stopped: stop requested\n`portsup why late` explains it\n"
        )  # fmt: skip
        up.says("the services have names: http://SERVICE.t.localhost")


def test_a_proxy_that_is_killed_comes_back_and_outlives_who_started_it(named: Named) -> None:
    first, other = named.stack({"api": http_service()}), named.stack({"api": http_service()}, folder="q", name="u")
    with first.up():
        named.served("api")
        with other.up():
            named.served("api", "u")
            caddy = named.caddy()
            caddy.send_signal(signal.SIGKILL)
            assert named.ask("api.u.localhost")[0] == 200  # its port was never free
            assert named.caddy() != caddy

            (first_daemon,) = [info.pid for info in first.infos() if info.stack == "t"]
            (proxy,) = named.proxies()
            os.kill(first_daemon, signal.SIGKILL)

            def is_forgotten() -> bool:
                with contextlib.suppress(http.client.HTTPException):  # killed in the middle of an answer
                    return named.ask("api.t.localhost")[0] == 404
                return False

            eventually(is_forgotten, within=LONG)
            assert [host for host, _ in named.places.listed()] == ["api.u.localhost"]
            assert named.ask("api.u.localhost")[0] == 200
            assert named.proxies() == [proxy]

            caddy = named.caddy()
            os.kill(proxy.pid, signal.SIGKILL)
            caddy.wait(LONG)

            def is_back() -> bool:
                with contextlib.suppress(OSError):
                    return named.ask("api.u.localhost")[0] == 200
                return False

            eventually(is_back, within=LONG)
            assert named.proxies() != [proxy]
            eventually(lambda: "api.u" in named.ask("nothing.localhost")[1], within=LONG)


def test_without_its_port_the_stack_comes_up_and_says_who_has_it(named: Named) -> None:
    live = named.stack({"web": http_service()})
    with socket.create_server(("127.0.0.1", named.port)), live.foreground() as up:
        up.says("is up")
        up.says(f"the services have no names: port {named.port} cannot be used: ")
        assert f"(pid {os.getpid()}" in up.err
        assert (live.rows()["web"]["state"], named.url("web")) == ("running", None)
        (told,) = live.journal("names failed")
        assert told["hint"] == "end that program, or use another port: `names: {port: N}`"


def test_it_speaks_https_by_an_authority_of_its_own(named: Named, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    live = named.stack({"web": http_service()}, names={"port": named.port, "https": True})
    live.env |= {"HOME": str(home)}
    live.env.pop("XDG_STATE_HOME", None)
    other = named.stack({"web": http_service()}, folder="q", name="u")
    with live.up(), other.up():
        named.served("web")
        assert named.url("web") == f"https://web.t.localhost:{named.port}"
        trusted = ssl.create_default_context(cafile=str(live.state / "names/caddy/pki/authorities/local/root.crt"))

        def answered() -> bytes:
            with socket.create_connection(("127.0.0.1", named.port), LONG) as plain, \
                    trusted.wrap_socket(plain, server_hostname="web.t.localhost") as secured:  # fmt: skip
                secured.sendall(b"GET / HTTP/1.1\r\nHost: web.t.localhost\r\nConnection: close\r\n\r\n")
                return b"".join(iter(lambda: secured.recv(1000), b""))

        eventually(lambda: _quiet(answered), within=LONG, what="a certificate")
        assert answered().startswith(b"HTTP/1.1 200 OK")
        (told,) = eventually(lambda: other_journal(other), within=LONG)
        assert told["hint"] == "give this stack another port: `names: {port: 1356}`"
        assert named.url("web", "u") is None
    named.ended()
    assert list(home.iterdir()) == []


def test_a_caddy_that_is_too_old_is_not_run(named: Named, tmp_path: Path) -> None:
    old = tmp_path / "caddy"
    old.write_text("#!/bin/sh\necho v2.4.6\n")
    old.chmod(0o755)
    live = named.stack({"web": http_service()})
    live.env["PATH"] = f"{tmp_path}:{live.env['PATH']}"
    with live.up():
        named.served("web")  # by the next one
        assert named.caddy().exe() != str(old)


def _quiet(ask: Callable[[], bytes]) -> bytes:
    with contextlib.suppress(OSError):
        return ask()
    return b""


def other_journal(other: Live) -> list[dict[str, Any]]:
    path = other.state / "u-1/portsup.log"
    return [fact for fact in map(json.loads, path.read_text().splitlines()) if fact["event"] == "names failed"]


def test_only_its_user_reaches_what_the_proxy_is_told_by(named: Named) -> None:
    live = named.stack({"web": http_service()})
    with live.up():
        named.served("web")
        caddy = named.caddy()
        listens = {each.laddr for each in caddy.net_connections("inet") if each.status == "LISTEN"}
        assert {address for address, _ in listens} <= {"127.0.0.1", "::1"}
        assert {port for _, port in listens} == {named.port}
        assert list(caddy.net_connections("udp")) == []

        def modes() -> bool:
            paths = (named.places.admin, named.places.follower, named.places.config)
            return all(stat.S_IMODE(os.stat(path).st_mode) == 0o600 for path in paths)

        eventually(modes, within=LONG)
        assert stat.S_IMODE(os.stat(named.places.runtime).st_mode) == 0o700
