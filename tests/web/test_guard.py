"""Who gets through to the page, and what has been tried against others like it."""

import asyncio
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from supervisor.web.guard import CSP, Guard, Site, refusal
from supervisor.web.keys import LASTS, Keys

NOW = 1_800_000_000.0
KEYS = Keys("a secret of many letters", 7080)
COOKIE = KEYS.new_cookie(NOW)
PLACE = Site(7080)
SEEN = {"host": "127.0.0.1:7080", "cookie": f"portsup-7080={COOKIE}"}
READS = {**SEEN, "sec-fetch-site": "same-origin", "x-portsup-key": KEYS.page_key(COOKIE)}
WRITES = {**READS, "origin": "http://127.0.0.1:7080", "content-type": "application/json"}


def status(method: str, path: str, headers: dict[str, str] | list[tuple[str, str]], now: float = NOW) -> int:
    """The status of the refusal; 200 where there is none."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    found = refusal(PLACE, KEYS, (method, path, [(name.encode(), value.encode()) for name, value in pairs]), now)
    return 200 if found is None else found.status


@pytest.mark.parametrize("host", ["127.0.0.1:7080", "localhost:7080", "LOCALHOST:7080", "[::1]:7080"])
def test_the_page_itself_gets_through(host: str) -> None:
    own = {**WRITES, "host": host, "origin": f"http://{host.lower()}"}
    assert status("POST", "/api/do", own) == 200
    assert status("GET", "/api/stream", {**READS, "host": host}) == 200
    assert status("GET", "/", {**SEEN, "host": host}) == 200


def without(headers: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in names}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        # A form, or fetch in the mode no-cors, of another page: text/plain, with the cookie if SameSite did not hold.
        ({**WRITES, "origin": "http://evil.example", "content-type": "text/plain"}, 403),
        ({**WRITES, "origin": "null", "content-type": "application/x-www-form-urlencoded"}, 403),
        ({**WRITES, "content-type": "text/plain"}, 415),
        ({**WRITES, "content-type": "multipart/form-data; boundary=x"}, 415),
        (without(WRITES, "content-type"), 415),
        # An old browser that sends neither: nothing says that it is our page.
        (without(WRITES, "origin", "sec-fetch-site"), 403),
        ({**WRITES, "sec-fetch-site": "cross-site"}, 403),
        ({**without(WRITES, "origin"), "sec-fetch-site": "same-site"}, 403),
        ({**without(WRITES, "origin"), "sec-fetch-site": "none"}, 403),
        # Another program of this machine that serves a page on another port of the same name.
        ({**WRITES, "origin": "http://127.0.0.1:3000"}, 403),
        ({**WRITES, "origin": "https://127.0.0.1:7080"}, 403),
        # It gets our cookie, because cookies go to every port; the key of the page it does not get.
        (without(WRITES, "x-portsup-key"), 401),
        ({**WRITES, "x-portsup-key": "0" * 64}, 401),
        ({**WRITES, "x-portsup-key": KEYS.page_key(KEYS.new_cookie(NOW))}, 401),
        (without(WRITES, "cookie"), 401),
        ({**WRITES, "cookie": f"portsup-7081={COOKIE}"}, 401),
        ({**WRITES, "cookie": "portsup-7080="}, 401),
        ({**WRITES, "cookie": f"portsup-7080={COOKIE[:-1]}"}, 401),
        # A name that leads to the loopback by now (DNS rebinding), and Hosts that only look like ours.
        ({**WRITES, "host": "evil.example:7080"}, 421),
        ({**WRITES, "host": "127.0.0.1"}, 421),
        ({**WRITES, "host": "127.0.0.1:7081"}, 421),
        ({**WRITES, "host": "127.0.0.1:7080.evil.example"}, 421),
        (without(WRITES, "host"), 421),
        ([*WRITES.items(), ("host", "evil.example")], 421),
        # Two lengths: what one server takes for the body is the next request for another.
        ([*WRITES.items(), ("content-length", "4"), ("transfer-encoding", "chunked")], 400),
    ],
)
def test_a_forged_order_is_refused(headers: Any, expected: int) -> None:
    assert status("POST", "/api/do", headers) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (without(READS, "x-portsup-key"), 401),
        (without(READS, "cookie"), 401),
        ({**READS, "sec-fetch-site": "cross-site"}, 403),
        ({**READS, "sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}, 403),
        ({**READS, "origin": "http://localhost:3000"}, 403),
        ({**READS, "host": "evil.example"}, 421),
    ],
)
def test_a_stream_and_a_question_need_the_same(headers: dict[str, str], expected: int) -> None:
    for path in ("/api/stream", "/api/stretch", "/api/service"):
        assert status("GET", path, headers) == expected


def test_a_link_may_be_followed_from_anywhere_but_nothing_else_of_another_page_comes_in() -> None:
    visit = {"host": "localhost:7080", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert status("GET", "/enter", {**visit, "sec-fetch-dest": "document"}) == 200
    assert status("GET", "/enter", {**visit, "sec-fetch-dest": "iframe"}) == 403
    assert status("GET", "/static/page.css", {**visit, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "style"}) == 403


def test_without_a_cookie_there_is_only_the_login() -> None:
    host = {"host": "localhost:7080"}
    assert [status("GET", path, host) for path in ("/enter", "/static/enter.js", "/static/page.css")] == [200] * 3
    assert [status("GET", path, host) for path in ("/", "/static/main.js", "/static/../app.py")] == [401] * 3
    assert status("POST", "/enter", {**host, "content-type": "application/json"}) == 403
    own = {**host, "content-type": "application/json", "sec-fetch-site": "same-origin"}
    assert status("POST", "/enter", own) == 200


def test_the_cookie_outlives_the_server_and_ends_one_day() -> None:
    again = Keys("a secret of many letters", 7080)
    assert again.is_cookie(COOKIE, NOW + LASTS - 1)
    assert again.is_page_key(KEYS.page_key(COOKIE), COOKIE)
    assert not again.is_cookie(COOKIE, NOW + LASTS)
    assert not Keys("another secret", 7080).is_cookie(COOKIE, NOW)
    assert not Keys("a secret of many letters", 7081).is_cookie(COOKIE, NOW)


@pytest.mark.parametrize("value", ["", ".", "..", "x.y.z", "9" * 20 + ".a.b", "٣.a.b", "1.\udcff.é", "-1.a.b"])
def test_no_other_value_is_a_cookie(value: str) -> None:
    assert not KEYS.is_cookie(value, NOW)
    assert not KEYS.is_cookie(COOKIE + "x", NOW)


def test_a_cookie_that_another_page_has_set_for_a_path_does_not_lock_anybody_out() -> None:
    sent = ["portsup-7080=tossed; theme=dark", f"a=b; portsup-7080={COOKIE}"]
    assert KEYS.cookie_among(sent, NOW) == COOKIE
    assert KEYS.cookie_among(["portsup-7080=tossed", "portsup-7080"], NOW) == ""


def test_a_link_works_once() -> None:
    key = KEYS.new_link_key()
    assert not KEYS.use_link_key(key + "x")
    assert KEYS.use_link_key(key)
    assert not KEYS.use_link_key(key)
    assert not KEYS.use_link_key("")


def test_other_names_and_the_usual_ports_of_schemes() -> None:
    place = Site(443, ("127.0.0.1", "Box.example"), is_tls=True)
    assert place.hosts == {"127.0.0.1", "127.0.0.1:443", "box.example", "box.example:443"}
    assert "https://box.example" in place.origins
    assert "localhost" not in Site(7080).hosts


def answered(scope: dict[str, Any]) -> list[Any]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Guard(PlainTextResponse("in"), PLACE, KEYS)(scope, receive, send))
    return sent


def test_every_answer_forbids_frames_inline_code_and_referrers() -> None:
    for host in ("localhost:7080", "evil.example"):
        scope = {"type": "http", "method": "GET", "path": "/enter", "headers": [(b"host", host.encode())]}
        headers = dict(answered(scope)[0]["headers"])
        assert headers[b"content-security-policy"].decode() == CSP
        assert headers[b"x-frame-options"] == b"DENY"
        assert headers[b"referrer-policy"] == b"no-referrer"
        assert headers[b"x-content-type-options"] == b"nosniff"
    assert "unsafe" not in CSP
    assert "frame-ancestors 'none'" in CSP


def test_a_websocket_is_not_answered() -> None:
    headers = [(name.encode(), value.encode()) for name, value in READS.items()]
    assert answered({"type": "websocket", "path": "/api/stream", "headers": headers}) == []
