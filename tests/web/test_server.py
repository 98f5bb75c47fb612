"""The page's server as it is served: what it tells, what it does, and what strangers get of it."""

import contextlib
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from supervisor.web.app import MOST_WINDOWS
from tests.live.stack import SLEEPS, Live
from tests.support.eventually import eventually
from tests.web.serving import Served, served

pytestmark = pytest.mark.live

FAILS = {
    "command": ["sh", "-c", "echo 'cannot read \u202econfig.toml' >&2; exit 3"],  # with a direction for its letters
    "restart": "never",
    "ready": {"log": "up"},
}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("web")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RUNTIME", "STATE"):
            place = folder / name.lower()
            place.mkdir(mode=0o700)
            patch.setenv(f"PORTSUP_{name}_DIR", str(place))
        stack = Live(folder / "p", {
            "job": {**SLEEPS, "environment": {"API_KEY": "hunter2hunter2"}},
            "after": {**SLEEPS, "depends_on": ["job"]},
            "sick": {**FAILS, "autostart": False},
        })  # fmt: skip
        stack.run("up", "-d")
        yield stack
        stack.end()


@pytest.fixture(scope="module")
def page(live: Live) -> Iterator[Served]:
    with served(live) as running:
        yield running


def test_a_window_gets_everything_and_then_what_changes(live: Live, page: Served) -> None:
    with page.stream() as told:
        first = next(each for each in told if each.get("full") and not each["ended"])
        assert (first["stack"], first["instance"], sorted(first["rows"])) == ("t", 1, ["after", "job", "sick"])
        assert (first["rows"]["job"]["word"], first["rows"]["job"]["shape"]) == ("running", "●")
        assert first["needs"]["after"] == ["job"]
        threading.Thread(target=live.do, args=("restart", "job")).start()
        pids = (each["rows"]["job"]["pid"] for each in told if "job" in each.get("rows", {}))
        assert next(pid for pid in pids if pid not in (None, first["rows"]["job"]["pid"]))


def test_done_is_said_when_it_is_done(live: Live, page: Served) -> None:
    *_, last = page.do("stop", "after")
    assert (last["ok"], live.rows()["after"]["state"]) == (True, "stopped")
    *_, last = page.do("start", "after")
    assert (last["ok"], live.rows()["after"]["state"]) == (True, "running")
    assert "after" in [each["name"] for each in last["results"]]
    before = live.rows()["job"]["pid"]
    assert page.do("restart", "job")[-1]["ok"]
    assert live.rows()["job"]["pid"] != before


def test_what_failed_comes_with_its_last_lines(page: Served) -> None:
    *_, last = page.do("start", "sick")
    assert not last["ok"]
    assert last["last_lines"]["sick"] == ["cannot read config.toml"]
    why = page.ask("why", service="sick")
    assert why["failures"] >= 1
    assert "exit code 3" in why["chapters"][-1][-1]["sentence"]


def test_no_word_that_is_shown_has_a_direction_and_a_log_is_as_it_was_printed(page: Served) -> None:
    page.do("start", "sick")
    why = page.ask("why", service="sick")
    assert why["output"][-1] == "cannot read config.toml"
    assert page.ask("stretch", services="sick")["lines"][-1]["message"] == "cannot read \u202econfig.toml"
    found = page.ask("search", services="sick", grep="cannot", context="", level="", cursor="")["lines"]
    assert {each["message"] for each in found} == {"cannot read \u202econfig.toml"}
    refused = page.http.get("/api/why", params={"service": "\u202exyz"}, headers=page.headers)
    assert "xyz" in refused.text
    assert "\u202e" not in refused.text


def test_a_request_within_another_is_not_heard(page: Served) -> None:
    own = f"Host: 127.0.0.1:{page.port}\r\nOrigin: {page.base}\r\nContent-Type: application/json\r\n"
    inner = f"GET /enter HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\n\r\n"
    lengths = "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"
    with socket.create_connection(("127.0.0.1", page.port), 20) as connection:
        connection.sendall(f"POST /enter HTTP/1.1\r\n{own}{lengths}\r\n0\r\n\r\n{inner}".encode())
        read = b"".join(iter(lambda: connection.recv(65536), b""))
    assert read.startswith(b"HTTP/1.1 400 ")
    assert read.count(b"HTTP/1.1") == 1


ODD: list[object] = [None, True, 7, "", "stop", [], ["stop"], {}, {"do": "stop"}, [[]], "\x00", "\ud800"]


@pytest.mark.parametrize("key", ["do", "services", "stack", "dry_run"])
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_no_order_makes_the_page_fail(page: Served, key: str, odd: object) -> None:
    body = json.dumps({"do": "stop", "services": ["nobody"], key: odd})
    answer = page.http.post("/api/do", content=body, headers=page.headers)
    assert answer.status_code in (200, 400, 404)
    last = json.loads(answer.text.splitlines()[-1])
    assert last["error"]["what"]
    assert not last.get("ok")


def test_a_wrong_order_says_what_is_wrong(page: Served) -> None:
    assert "`nobody`" in str(page.do("restart", "nobody")[-1]["error"])
    assert "is a list of names" in str(page.do("stop")[-1]["error"])
    answer = page.http.post("/api/do", json={"do": "__init__"}, headers=page.headers)
    assert (answer.status_code, "there is no order" in answer.text) == (400, True)
    for body in (b"[1]", b"{", b"x" * 70_000, b"[" * 60_000):
        assert page.http.post("/api/do", content=body, headers=page.headers).status_code == 400


def test_settings_name_their_line_and_the_environment_hides_secrets(live: Live, page: Served) -> None:
    told = page.ask("service", service="job")
    command = next(each for each in told["settings"] if each["key"] == "command")
    assert command["value"] == ["sleep", "1000"]
    assert command["file"].endswith("services.yaml")
    assert Path(command["file"]).read_text().splitlines()[command["line"] - 1].strip().strip('"').startswith("command")
    assert "hunter2" not in str(told)
    assert {"name": "API_KEY", "value": "***", "is_hidden": True} in told["environment"]


def test_a_mistake_in_the_configuration_is_told_with_its_place(live: Live, page: Served) -> None:
    path = live.folder / "services.yaml"
    before = path.read_text()
    path.write_text(f"{before}  other: [\n")
    try:
        mistake = page.ask("service", service="job")["mistake"]
    finally:
        path.write_text(before)
    line = len(before.splitlines()) + 1
    assert mistake["why"] == "it has a mistake"
    assert mistake["problems"][0].startswith(f"services.yaml:{line + 1}:")


@pytest.mark.parametrize("name", ["../p/services", "/etc/passwd", "job/../../token", "portsup", "%2e%2e", "job\x00"])
def test_a_service_named_like_a_path_leads_nowhere(page: Served, name: str) -> None:
    for what in ("stretch", "search", "starts"):
        assert page.http.get(f"/api/{what}", params={"services": name}, headers=page.headers).status_code == 404
    assert page.http.get("/api/why", params={"service": name}, headers=page.headers).status_code == 404
    assert page.http.get("/api/stretch", params={"stack": f"{name}/1"}, headers=page.headers).status_code == 400


def test_files_of_the_page_are_all_that_is_served(page: Served) -> None:
    for path in ("/static/main.js", "/static/vendor/preact.mjs", "/static/page.css", "/"):
        assert page.http.get(path).status_code == 200, path
    for path in ("/static/..%2fkeys.py", "/static/%2e%2e/keys.py", "/static//etc/passwd", "/static/", "/keys.py"):
        assert page.http.get(path).status_code == 404, path


def raw(page: Served, text: str) -> str:
    """The first line that answers to some bytes."""
    with socket.create_connection(("127.0.0.1", page.port), timeout=20) as connection:
        connection.sendall(text.replace("\n", "\r\n").encode())
        return connection.makefile().readline().strip()


def test_strangers_get_nothing(page: Served) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in page.http.cookies.items())
    own = f"Host: 127.0.0.1:{page.port}\nCookie: {cookie}\n"
    assert "200" in raw(page, f"GET / HTTP/1.1\n{own}\n")
    assert "421" in raw(page, f"GET / HTTP/1.1\nHost: evil.example:{page.port}\nCookie: {cookie}\n\n")
    assert "401" in raw(page, f"GET /api/stream HTTP/1.1\n{own}\n")
    forged = (
        f"POST /api/do HTTP/1.1\n{own}Origin: http://evil.example\nContent-Type: text/plain\nContent-Length: 2\n\n{{}}"
    )
    assert "403" in raw(page, forged)
    key = page.headers["X-Portsup-Key"]
    upgrade = (
        f"GET /api/stream HTTP/1.1\n{own}Origin: http://evil.example\nX-Portsup-Key: {key}\nConnection: Upgrade\n"
        "Upgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n"
    )
    assert "403" in raw(page, upgrade)
    answer = page.http.get("/", headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"})
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "access-control-allow-origin" not in answer.headers


def test_the_link_works_once_and_the_cookie_outlives_the_server(live: Live) -> None:
    with served(live) as first:
        again = httpx2.post(f"{first.base}/enter", json={"key": first.key}, headers={"Sec-Fetch-Site": "same-origin"})
        assert (again.status_code, "has been used" in again.text) == (401, True)
        cookie = first.http.cookies
        headers, port = first.headers, first.port
        (name,) = cookie
        assert name == f"portsup-{port}"
    with served(live, ports=str(port), enters=False) as second:
        second.http.cookies = cookie
        second.headers = headers
        assert second.ask("graph")["boxes"]


def test_another_link_is_made_by_an_open_page(page: Served) -> None:
    link = page.http.post("/api/link", json={}, headers=page.headers).json()["link"]
    assert link.startswith(f"{page.base}/enter#")
    key = link.partition("#")[2]
    answer = httpx2.post(f"{page.base}/enter", json={"key": key}, headers={"Sec-Fetch-Site": "same-origin"})
    flags = answer.headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=strict" in flags


def test_a_page_that_only_shows_changes_nothing(live: Live) -> None:
    with served(live, "--read-only") as only:
        assert only.ask("about")["read_only"]
        before = live.rows()["job"]["pid"]
        for what in ("restart", "stop", "kill", "down", "up", "prune", "reload", "rotate"):
            body = {"do": what, "services": ["job"]}
            assert only.http.post("/api/do", json=body, headers=only.headers).status_code == 403
        assert only.do("reload", dry_run=True)[-1]["ok"]
        assert live.rows()["job"]["pid"] == before


def test_many_streams_and_slow_readers_keep_nobody_waiting(live: Live) -> None:
    with served(live) as busy:
        key = busy.headers["X-Portsup-Key"]
        cookie = "; ".join(f"{name}={value}" for name, value in busy.http.cookies.items())
        own = f"Host: 127.0.0.1:{busy.port}\r\nCookie: {cookie}\r\nX-Portsup-Key: {key}\r\n"
        request = f"GET /api/stream HTTP/1.1\r\n{own}\r\n".encode()
        readers: list[socket.socket] = []
        try:
            refused = 0
            for number in range(1000):
                connection = socket.create_connection(("127.0.0.1", busy.port), timeout=20)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.sendall(request)
                if number < MOST_WINDOWS:
                    assert b"200" in connection.recv(64)  # and then it reads no more
                    readers.append(connection)
                else:
                    refused += b" 503 " in connection.recv(64)
                    connection.close()
            assert refused == 1000 - MOST_WINDOWS
            assert busy.do("restart", "job")[-1]["ok"]
            assert busy.ask("about") == {"read_only": False, "beat": 0.3}
        finally:
            for connection in readers:
                connection.close()
        eventually(lambda: _is_free(busy), what="room for another window")


def test_connections_that_ask_nothing_keep_nobody_out(live: Live) -> None:
    """Every user of this machine can open them, and half a request takes no cookie."""
    with served(live) as busy, contextlib.ExitStack() as around:
        idle = [around.enter_context(socket.create_connection(("127.0.0.1", busy.port), 20)) for _ in range(700)]
        for connection in idle[::2]:
            with contextlib.suppress(OSError):  # closed by now, because others came after it
                connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        with httpx2.Client(base_url=busy.base, trust_env=False, timeout=30.0, cookies=busy.http.cookies) as another:
            for _ in range(3):
                assert another.get("/api/about", headers=busy.headers).status_code == 200
        assert busy.do("restart", "job")[-1]["ok"]


def _is_free(page: Served) -> bool:
    with page.http.stream("GET", "/api/stream", headers=page.headers) as answer:
        return answer.status_code == 200


def test_the_end_of_the_stack_and_its_return_are_told(own_folders: Path) -> None:
    live = Live(own_folders / "p", {"job": SLEEPS})
    live.run("up", "-d")
    try:
        with served(live) as page, page.stream() as told:
            assert next(each for each in told if each.get("full") and not each["ended"])["rows"]
            os.kill(live.daemon(), signal.SIGKILL)
            ended = next(each for each in told if each.get("ended"))
            assert ended["ended"]["why"] == "portsup ended without a word, as after SIGKILL"
            assert ended["rows"]["job"]["state"] == "running"  # the last picture, which the page shows as past
            live.ended()
            assert page.do("up")[-1]["ok"]
            assert next(each for each in told if each.get("full") and not each["ended"])["rows"]["job"]["state"]
    finally:
        live.end()
