"""A conversation in text."""

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.examples.running import Running, service
from tests.examples.stranger import stranger
from tests.examples.talking import Talk, ends_in_words_at_sigterm, talk, talking
from tests.examples.upstream import WORDS, Upstream
from tests.support.ports import free_port

pytestmark = pytest.mark.live
TEXT = "".join(WORDS)
MUTE = {"STT": "none", "TTS": "none"}


@pytest.fixture(scope="module")
def spoken(server: Upstream) -> Iterator[Running]:
    with service("conversational", LLM_URL=f"{server.url}/v1", CONVERSATION_MAX_SESSIONS="3", **MUTE) as running:
        yield running


def test_a_socket_at_another_path_is_told_that_there_is_none(spoken: Running) -> None:
    async def refused() -> tuple[int, Any]:
        with pytest.raises(InvalidStatus) as caught:
            async with connect(f"ws://127.0.0.1:{spoken.port}/v1/realtime?model=x", proxy=None):
                pass
        return caught.value.response.status_code, json.loads(caught.value.response.body or b"")

    status, document = asyncio.run(refused())
    assert (status, document["error"]["message"]) == (404, "there is no `/v1/realtime` here")


def test_a_question_is_answered_piece_by_piece(spoken: Running, behind: Upstream) -> None:
    async def do(talk: Talk) -> list[dict[str, Any]]:
        await talk.say(type="input.text", text="hi")
        return await talk.until("response.done") + await talk.until("state")

    heard = talk(spoken, do)
    assert [message["state"] for message in heard if message["type"] == "state"] == [
        "thinking",
        "speaking",
        "listening",
    ]
    assert [message["delta"] for message in heard if message["type"] == "response.text.delta"] == list(WORDS)
    done = next(message for message in heard if message["type"] == "response.done")
    assert done["text"] == TEXT
    assert done["ms"] >= 0


def test_a_session_begins_with_what_it_can_do(spoken: Running) -> None:
    async def whole() -> dict[str, Any]:
        async with talking(spoken) as talk:
            return await talk.next("session.created")

    created = asyncio.run(whole())
    assert created["modes"] == ["text"]
    assert (created["audio"]["in"]["rate"], created["audio"]["out"]["rate"]) == (16000, 24000)


def test_the_conversation_so_far_is_told_to_the_model(spoken: Running, behind: Upstream) -> None:
    async def do(talk: Talk) -> None:
        for text in ("first", "second"):
            await talk.say(type="input.text", text=text)
            await talk.until("response.done")

    talk(spoken, do)
    told = behind.asked("/v1/chat/completions")[-1]["messages"]
    assert told.pop(0)["role"] == "system"
    assert [message["content"] for message in told] == ["first", TEXT, "second"]


def test_a_reply_can_be_cancelled(spoken: Running, behind: Upstream) -> None:
    behind.pause = True

    async def do(talk: Talk) -> dict[str, Any]:
        await talk.say(type="input.text", text="hi")
        await talk.until("response.text.delta")
        await talk.say(type="response.cancel")
        cancelled = await talk.next("response.cancelled")
        assert (await talk.next("state"))["state"] == "listening"
        return cancelled

    assert talk(spoken, do)["text"] == WORDS[0]


def test_a_reply_that_is_cancelled_before_it_begins_is_told_to_be(spoken: Running, behind: Upstream) -> None:
    async def do(talk: Talk) -> list[dict[str, Any]]:
        await talk.say(type="input.text", text="hi \ud83d")
        await talk.say(type="response.cancel")
        await talk.say(type="input.text", text="again")
        return await talk.until("response.done")

    told = talk(spoken, do)
    assert [each["type"] for each in told].count("response.cancelled") == 1
    assert told[-1]["text"] == TEXT


def test_a_new_question_cuts_the_reply_short(spoken: Running, behind: Upstream) -> None:
    behind.pause = True

    async def do(talk: Talk) -> list[dict[str, Any]]:
        await talk.say(type="input.text", text="hi")
        await talk.until("response.text.delta")
        await talk.say(type="input.text", text="wait")
        assert (await talk.next("response.cancelled"))["text"] == WORDS[0]
        behind.go_on.set()
        return await talk.until("response.done")

    assert talk(spoken, do)[-1]["text"] == TEXT
    told = behind.asked("/v1/chat/completions")[-1]["messages"]
    assert told.pop(0)["role"] == "system"
    assert [message["content"] for message in told] == ["hi", WORDS[0], "wait"]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "bad_message"),
        ("[1]", "bad_message"),
        ('{"type": 1}', "bad_message"),
        ('{"type": "input.text"}', "bad_message"),
        ('{"type": "input.text", "text": " "}', "bad_message"),
        ('{"type": "sing"}', "unknown_type"),
        (json.dumps({"type": "input.text", "text": "x" * 9000}), "too_long"),
        (b"\x00\x01" * 512, "speech_unavailable"),
        ('{"type": "input.audio.end"}', "speech_unavailable"),
    ],
)
def test_what_can_not_be_done_is_an_error_and_the_socket_stays_open(
    spoken: Running, behind: Upstream, frame: str | bytes, code: str
) -> None:
    async def do(talk: Talk) -> None:
        await talk.socket.send(frame)
        assert (await talk.next("error"))["code"] == code
        await talk.say(type="input.text", text="hi")
        assert (await talk.next("response.done"))["text"] == TEXT

    talk(spoken, do)


def test_audio_is_refused_once_and_not_for_every_frame(spoken: Running, behind: Upstream) -> None:
    async def do(talk: Talk) -> list[dict[str, Any]]:
        for _ in range(20):
            await talk.socket.send(b"\0" * 640)
        await talk.say(type="input.text", text="hi")
        return await talk.until("response.done")

    assert [message["type"] for message in talk(spoken, do)].count("error") == 1


def test_without_a_model_the_socket_stays_open() -> None:
    async def do(talk: Talk) -> None:
        for _ in range(2):
            await talk.say(type="input.text", text="hi")
            assert (await talk.next("error"))["code"] == "llm_unavailable"
            assert (await talk.next("state"))["state"] == "listening"

    with service("conversational", PORTSUP_SANDRA_IA_URL=f"http://127.0.0.1:{free_port()}", **MUTE) as running:
        talk(running, do)
        assert running.http.get("/health").json()["checks"] == {"llm": "upstream_unreachable"}


def test_an_answer_that_breaks_off_is_an_error(spoken: Running, behind: Upstream) -> None:
    behind.break_off = True

    async def do(talk: Talk) -> None:
        await talk.say(type="input.text", text="hi")
        assert (await talk.next("error"))["code"] == "llm_unavailable"

    talk(spoken, do)


def test_one_conversation_too_many_is_refused(spoken: Running) -> None:
    async def whole() -> int:
        async with talking(spoken), talking(spoken), talking(spoken):
            with pytest.raises(InvalidStatus) as caught:
                async with talking(spoken):
                    pass
            return caught.value.response.status_code

    assert asyncio.run(whole()) == 429


def test_pages_of_other_sites_can_not_open_a_socket(spoken: Running) -> None:
    async def refused(**options: Any) -> int:
        with pytest.raises(InvalidStatus) as caught:
            async with talking(spoken, **options):
                pass
        return caught.value.response.status_code

    assert asyncio.run(refused(origin="https://evil.example")) == 403
    assert asyncio.run(refused(origin="null")) == 403


def test_a_name_that_somebody_pointed_at_this_machine_is_refused(spoken: Running) -> None:
    async def whole() -> int:
        with pytest.raises(InvalidStatus) as caught:
            async with connect(f"ws://evil.example:{spoken.port}/ws", host="127.0.0.1", port=spoken.port, proxy=None):
                pass
        return caught.value.response.status_code

    assert asyncio.run(whole()) == 400


def test_a_browser_shows_the_token_as_a_subprotocol() -> None:
    def offer(token: str) -> list[str]:
        return ["conversation", "token." + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")]

    async def whole(running: Running) -> None:
        refused: list[dict[str, Any]] = [
            {},
            {"subprotocols": offer("wrong")},
            {"subprotocols": ["token.%%%"]},
            {"query": "?token=r\u00efght"},
            {"additional_headers": {"authorization": "Bearer wrong"}},
        ]
        for options in refused:
            with pytest.raises(InvalidStatus) as caught:
                async with talking(running, **options):
                    pass
            assert caught.value.response.status_code == 401
        async with talking(running, subprotocols=offer("r\u00efght ~")) as talk:
            await talk.next("session.created")
            assert talk.socket.subprotocol == "conversation"
        async with talking(running, additional_headers={"authorization": "Bearer r\u00efght ~"}) as talk:
            await talk.next("session.created")

    with service("conversational", CONVERSATION_TOKEN="r\u00efght ~", **MUTE) as running:
        asyncio.run(whole(running))


@pytest.mark.parametrize("frame", ["x" * (1024 * 1024 + 1), b"x" * (1024 * 1024 + 1)])
def test_a_frame_that_is_too_large_closes_the_socket(spoken: Running, frame: str | bytes) -> None:
    async def do(talk: Talk) -> int | None:
        with suppress(ConnectionClosed):
            await talk.socket.send(frame)
        async with asyncio.timeout(20):
            await talk.socket.wait_closed()
        return talk.socket.close_code

    assert talk(spoken, do) == 1009


def test_the_page_needs_nothing_from_elsewhere(spoken: Running) -> None:
    page = spoken.http.get("/")
    assert page.headers["content-type"].startswith("text/html")
    linked = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert sorted(set(linked)) == ["icon.svg", "page.css", "page.js"]  # relative: also below a gateway
    for path in (*linked, "/sound.js", "/microphone.js", "/markdown.js"):
        assert spoken.http.get(path).status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_sigterm_closes_open_conversations_with_1012(server: Upstream, behind: Upstream) -> None:
    behind.pause = True

    with service("conversational", LLM_URL=f"{server.url}/v1", **MUTE) as running:
        ends_in_words_at_sigterm(running, during="response.text.delta")


def test_an_answer_that_just_ends_does_not_look_whole() -> None:
    parts = b'data: {"choices": [{"delta": {"content": "Half of"}}]}\n\n'
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"

    async def do(talk: Talk) -> None:
        await talk.say(type="input.text", text="hi")
        heard = await talk.until("error")
        assert heard[-1]["code"] == "llm_unavailable"
        assert "broke off" in heard[-1]["message"]
        assert "response.done" not in [message["type"] for message in heard]

    with stranger() as other:
        other.will(head + parts)
        with service("conversational", LLM_URL=f"{other.url}/v1", STT="none", TTS="none") as running:
            talk(running, do)
