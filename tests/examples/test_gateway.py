"""The gateway of the API Server for browsers: pages, WebSockets, redirects, who asked; its figures and spans."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from examples.api_server.gateway import within_gateway
from tests.examples.running import Running, error_of, service
from tests.examples.stranger import Stranger, stranger
from tests.examples.test_api_server import publish
from tests.examples.upstream import Upstream
from tests.support.needed import need_program
from tests.support.ports import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.live
TOKEN = "a-token-of-the-tests"
AUTH = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def odd() -> Iterator[Stranger]:
    with stranger() as state:
        yield state


@pytest.fixture(scope="module")
def conversation(server: Upstream) -> Iterator[Running]:
    speechless = {"STT": "none", "TTS": "none", "LLM_URL": f"{server.url}/v1", "CONVERSATION_TOKEN": TOKEN}
    with service("conversational", **speechless) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, odd: Stranger, conversation: Running) -> Iterator[Running]:
    path = tmp_path_factory.mktemp("gateway") / "endpoints.json"
    publish(path, odd=int(odd.url.rpartition(":")[2]), conversational=conversation.port, gone=free_port())
    with service("api_server", API_TOKEN=TOKEN, PORTSUP_ENDPOINTS=str(path)) as running:
        running.http.headers.update(AUTH)
        yield running


def answers(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("location", "rewritten"),
    [
        ("/login?next=%2Fa#top", "/odd/login?next=%2Fa#top"),
        ("next", "/odd/a/next"),
        ("../up", "/odd/up"),
        ("?page=2", "/odd/a/b?page=2"),
        ("http://127.0.0.1:{port}/x", "/odd/x"),
        ("http://localhost:{port}", "/odd/"),
        ("//127.0.0.1:{port}/y", "/odd/y"),
        ("https://example.com/z", "https://example.com/z"),
        ("http://127.0.0.1:1/other", "http://127.0.0.1:1/other"),
        ("mailto:a@example.com", "mailto:a@example.com"),
    ],
)
def test_a_redirect_stays_within_the_gateway(gateway: Running, odd: Stranger, location: str, rewritten: str) -> None:
    odd.will(answers(location.replace("{port}", odd.url.rpartition(":")[2])))
    response = gateway.http.get("/odd/a/b", follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (302, rewritten)


def test_what_can_not_be_an_address_is_left_as_it_is() -> None:
    assert within_gateway("http://[::1", "http://127.0.0.1:8000/", "web") == "http://[::1"
    assert within_gateway("http://127.0.0.1:99999/", "http://127.0.0.1:8000/", "web") == "http://127.0.0.1:99999/"


def test_a_service_is_told_how_its_client_reaches_it(gateway: Running, odd: Stranger) -> None:
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{request}"
    odd.will(head)
    text = gateway.http.get("/odd/a").text.lower()
    for line in (
        "x-forwarded-for: 127.0.0.1",
        f"x-forwarded-host: 127.0.0.1:{gateway.port}",
        "x-forwarded-proto: http",
        "x-forwarded-prefix: /odd",
    ):
        assert f"\r\n{line}\r\n" in text
    odd.will(head)
    proxied = {"x-forwarded-for": "10.0.0.7", "x-forwarded-proto": "https", "x-forwarded-host": "a.example"}
    text = gateway.http.get("/odd/a", headers={**proxied, "x-forwarded-prefix": "/all/"}).text.lower()
    for line in ("for: 10.0.0.7, 127.0.0.1", "proto: https", "host: a.example", "prefix: /all/odd"):
        assert f"\r\nx-forwarded-{line}\r\n" in text
        assert text.count(f"x-forwarded-{line.partition(':')[0]}:") == 1


def test_a_service_without_a_slash_behind_it_leads_to_its_folder(gateway: Running) -> None:
    response = gateway.http.get("/conversational?a=1", follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (307, "/conversational/?a=1")


def test_the_page_of_a_service_and_all_its_parts_open_without_a_token(gateway: Running) -> None:
    with httpx2.Client(base_url=gateway.url, trust_env=False) as anybody:
        page = anybody.get("/conversational/")
        assert "<h1>" in page.text
        for part in ("page.css", "page.js", "sound.js", "microphone.js", "icon.svg"):
            assert anybody.get(f"/conversational/{part}").status_code == 200
        assert error_of(anybody.get("/conversational/voices"), 401)
        assert error_of(anybody.get("/odd/"), 401)


def talk(url: str, text: str, **options: Any) -> tuple[list[dict[str, Any]], str | None]:
    async def conversation() -> tuple[list[dict[str, Any]], str | None]:
        async with connect(url, proxy=None, **options) as socket:
            await socket.send(json.dumps({"type": "input.text", "text": text}))
            heard: list[dict[str, Any]] = []
            async for part in socket:
                heard.append(json.loads(part))
                if heard[-1]["type"] in ("response.done", "error"):
                    return heard, socket.subprotocol
            raise AssertionError(heard)

    return asyncio.run(asyncio.wait_for(conversation(), 30))


def test_a_conversation_goes_through_it(gateway: Running) -> None:
    url = gateway.url.replace("http", "ws") + "/conversational/ws"
    heard, _ = talk(url, "hello", additional_headers=AUTH)
    assert heard[0]["type"] == "session.created"
    assert heard[-1]["text"] == "one two three"
    with pytest.raises(websockets.InvalidStatus) as refused:
        talk(url, "hello")
    assert refused.value.response.status_code == 401
    for path, status in (("/nobody/ws", 404), ("/gone/ws", 503), ("/conversational/nothing", 404), ("/odd/../a", 400)):
        with pytest.raises(websockets.InvalidStatus) as refused:
            talk(gateway.url.replace("http", "ws") + path, "hello", additional_headers=AUTH)
        assert refused.value.response.status_code in (status, 403), path


def test_messages_and_the_end_of_a_socket_come_as_they_were_sent(gateway: Running, tmp_path: Path) -> None:
    async def trial() -> tuple[list[str | bytes], int | None, str | None, dict[str, str], str | None, int | None]:
        seen: dict[str, str] = {}
        left: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

        async def echo(socket: ServerConnection) -> None:
            assert socket.request is not None
            seen.update(socket.request.headers, path=socket.request.path)
            try:
                async for message in socket:
                    if message == "bye":
                        await socket.close(4321, "as you wish")
                        return
                    await socket.send(message)
            except websockets.ConnectionClosedError as closed:
                left.set_result(closed.rcvd.code if closed.rcvd else None)

        async with serve(echo, "127.0.0.1", 0, subprotocols=["b"]) as server:  # type: ignore[list-item]
            port = next(iter(server.sockets)).getsockname()[1]
            path = tmp_path / "endpoints.json"
            publish(path, echo=port)
            with service("api_server", PORTSUP_ENDPOINTS=str(path)) as plain:
                url = f"ws://127.0.0.1:{plain.port}/echo/a%20b?c=d"
                async with connect(url, proxy=None, subprotocols=["a", "b"]) as socket:  # type: ignore[list-item]
                    got: list[str | bytes] = []
                    for message in ("text", bytes(range(256)), "x" * 100_000, ""):
                        await socket.send(message)
                        got.append(await socket.recv())
                    await socket.send("bye")
                    await socket.wait_closed()
                    chosen = socket.subprotocol
                async with connect(url, proxy=None, subprotocols=["b"]) as other:  # type: ignore[list-item]
                    await other.send("a")
                    await other.recv()
                    await other.close(4000, "enough")
                code = await asyncio.wait_for(left, 10)
                assert "Traceback" not in plain.output()
                return got, socket.close_code, socket.close_reason, seen, chosen, code

    got, code, reason, seen, chosen, left = asyncio.run(asyncio.wait_for(trial(), 60))
    assert got == ["text", bytes(range(256)), "x" * 100_000, ""]
    assert (code, reason, chosen, left) == (4321, "as you wish", "b", 4000)
    assert seen["path"] == "/a%20b?c=d"
    assert seen["X-Forwarded-Prefix" if "X-Forwarded-Prefix" in seen else "x-forwarded-prefix"] == "/echo"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    chromium = need_program("chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def test_the_page_of_conversational_talks_through_it_in_a_browser(gateway: Running, browser: Any) -> None:
    page: Page = browser.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(request.url))
    page.goto(f"{gateway.url}/conversational#token={TOKEN}")
    page.locator("#text").fill("hello there")
    page.keyboard.press("Enter")
    page.get_by_text("one two three").wait_for(timeout=20_000)
    assert wrong == []
    page.close()


def test_the_page_of_the_stack_shows_every_service(gateway: Running, browser: Any) -> None:
    page: Page = browser.new_page(viewport={"width": 360, "height": 700})
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if "Content Security" in message.text else None)
    page.goto(gateway.url)
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Show").click()
    row = page.get_by_role("row").filter(has_text="conversational")
    row.wait_for(timeout=20_000)
    assert "ok" in row.inner_text() or "degraded" in row.inner_text()
    assert "down" in page.get_by_role("row").filter(has_text="gone").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert wrong == []
    page.close()


@pytest.mark.parametrize("path", ["/openapi.json"])
def test_the_document_says_how_to_show_the_token(gateway: Running, path: str) -> None:
    document = gateway.http.get(path).json()
    (name, scheme), *_ = document["components"]["securitySchemes"].items()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert document["security"] == [{name: []}]
    assert {tag["name"] for tag in document["tags"]} == {"services", "gateway"}
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["tags"]
            assert operation["description"]
            assert all(parameter["description"] for parameter in operation.get("parameters", ()))


def test_the_page_of_the_document_can_be_used_with_a_token(gateway: Running, browser: Any) -> None:
    page: Page = browser.new_page()
    page.goto(f"{gateway.url}/docs")
    page.get_by_role("button", name="Authorize").first.click()
    page.locator("input[type=text], input[type=password]").last.fill(TOKEN)
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").click()
    page.locator('[data-path="/api/ports"]').first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table .response-col_status", has_text="200").wait_for(timeout=20_000)
    page.close()
