"""A conversation by voice: the client's words are made by the service's own voice, and its answers are listened to."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from examples.conversational import audio
from tests.examples.embedded_model import with_model
from tests.examples.extras import needs_model, needs_speech
from tests.examples.running import Running, service
from tests.examples.talking import (
    ANSWER,
    LONG,
    QUESTION,
    Talk,
    ends_in_words_at_sigterm,
    silence,
    speaking,
    talk,
    words,
)
from tests.examples.upstream import Upstream

pytestmark = [pytest.mark.live, needs_speech]
FRAME = 640  # bytes: 20 ms, as microphones send them


@pytest.fixture(scope="module")
def spoken_to(server: Upstream) -> Iterator[Running]:
    with speaking(LLM_URL=f"{server.url}/v1", CONVERSATION_MAX_TURN="6") as running:
        yield running


@pytest.fixture(scope="module")
def question(spoken_to: Running) -> bytes:
    """Somebody asks it, in what a microphone would send."""
    answer = spoken_to.http.post("/tts", json={"text": QUESTION})
    assert answer.status_code == 200, answer.text
    return audio.read_wav(answer.content, audio.HEARD, 60)


async def speak(talk: Talk, pcm: bytes) -> None:
    for start in range(0, len(pcm), FRAME):
        await talk.socket.send(pcm[start : start + FRAME])


def heard_in(spoken_to: Running, pcm: bytes) -> list[str]:
    wav = audio.write_wav(pcm, audio.SPOKEN)
    return words(spoken_to.http.post("/stt", content=wav).json()["text"])


def test_a_spoken_question_gets_a_spoken_answer(spoken_to: Running, behind: Upstream, question: bytes) -> None:
    behind.words = ANSWER

    async def do(talk: Talk) -> tuple[list[dict[str, Any]], bytes]:
        await talk.say(type="session.update", turns="manual")
        await speak(talk, question)
        await talk.say(type="input.audio.end")
        heard = await talk.until("response.done")
        return heard, b"".join(talk.sounds)

    heard, sound = talk(spoken_to, do)
    (said,) = [message["text"] for message in heard if message["type"] == "transcript" and message["final"]]
    assert words(said) == words(QUESTION)
    assert behind.asked("/v1/chat/completions")[-1]["messages"][-1] == {"role": "user", "content": said}
    assert [message["delta"] for message in heard if message["type"] == "response.text.delta"] == list(ANSWER)
    spoken = [message for message in heard if message["type"] == "response.audio"]
    assert [message["text"] for message in spoken] == ["The capital of Spain is Madrid.", ANSWER[2]]
    assert sum(message["ms"] for message in spoken) == pytest.approx(audio.seconds(sound, audio.SPOKEN) * 1000, abs=3)
    assert heard_in(spoken_to, sound) == words("".join(ANSWER))
    done = heard[-1]
    assert done["text"] == "".join(ANSWER)
    assert 0 <= done["first_audio_ms"] <= done["ms"]


def test_the_reply_lasts_until_it_has_been_heard(spoken_to: Running, behind: Upstream) -> None:
    behind.words = ("It is true.",)

    async def do(talk: Talk) -> float:
        started = time.monotonic()
        await talk.say(type="input.text", text="hi")
        await talk.until("response.done")
        await talk.until("state", state="listening")
        return time.monotonic() - started - audio.seconds(talk.sounds[0], audio.SPOKEN)

    assert talk(spoken_to, do) > 0


def test_without_hands_silence_ends_a_turn(spoken_to: Running, behind: Upstream, question: bytes) -> None:
    async def do(talk: Talk) -> list[dict[str, Any]]:
        await speak(talk, silence(1) + question + silence(1))
        return await talk.until("response.done")

    heard = talk(spoken_to, do)
    kinds = [message["type"] for message in heard]
    final = next(message for message in heard if message["type"] == "transcript" and message["final"])
    assert kinds.index("input.speech.started") < kinds.index("transcript")
    assert words(final["text"]) == words(QUESTION)


def test_noise_and_silence_are_no_question(spoken_to: Running, behind: Upstream) -> None:
    async def do(talk: Talk) -> None:
        click = b"\xff\x7f\x00\x80" * 400
        await speak(talk, silence(1) + click + silence(1))
        await talk.say(type="input.audio.end")
        assert (await talk.next("error"))["code"] == "no_speech"

    talk(spoken_to, do)
    assert not behind.asked("/v1/chat/completions")


def test_the_words_appear_while_they_are_spoken(spoken_to: Running, behind: Upstream, question: bytes) -> None:
    async def do(talk: Talk) -> list[dict[str, Any]]:
        await speak(talk, question + silence(0.4))  # not yet the end of the turn
        guessed = await talk.next("transcript")
        await talk.say(type="input.audio.end")
        return [guessed, await talk.next("transcript", final=True)]

    guessed, final = talk(spoken_to, do)
    assert not guessed["final"]
    assert guessed["text"]
    assert words(final["text"]) == words(QUESTION)
    assert guessed["item"] == final["item"]


def test_a_pause_to_think_does_not_cut_a_question_in_two(spoken_to: Running, behind: Upstream, question: bytes) -> None:
    half = len(question) // 4 * 2

    async def do(talk: Talk) -> list[dict[str, Any]]:
        # In one frame: the second half begins before the first can be answered.
        await talk.socket.send(question[:half] + silence(0.9) + question[half:] + silence(0.9))
        return await talk.until("response.done")

    heard = talk(spoken_to, do)
    assert len(behind.asked("/v1/chat/completions")) == 1
    finals = [message for message in heard if message["type"] == "transcript" and message["final"]]
    assert words(finals[-1]["text"])[-2:] == ["of", "spain"]
    assert words(finals[-1]["text"])[:2] == ["what", "is"]


def test_speech_interrupts_speech(spoken_to: Running, behind: Upstream, question: bytes) -> None:
    behind.words = LONG
    part = audio.HEARD * audio.WIDTH

    async def do(talk: Talk) -> str:
        await talk.say(type="input.text", text="Tell me a lot.")
        await talk.until("response.audio")
        await speak(talk, question[:part])
        cancelled = await talk.next("response.cancelled")
        assert (await talk.next("state"))["state"] == "listening"
        await speak(talk, question[part:] + silence(1))
        assert words((await talk.next("transcript", final=True))["text"]) == words(QUESTION)
        await talk.until("response.done")
        return str(cancelled["text"])

    heard = talk(spoken_to, do)
    is_part_of(heard, LONG)
    told = behind.asked("/v1/chat/completions")[-1]["messages"]
    # Not what was written is remembered, but what was heard.
    assert [message["content"] for message in told[1:3]] == ["Tell me a lot.", heard]


def test_a_spoken_reply_can_be_cancelled(spoken_to: Running, behind: Upstream) -> None:
    behind.words = LONG

    async def do(talk: Talk) -> str:
        await talk.say(type="input.text", text="hi")
        await talk.until("response.done")  # all is sent, and hardly any of it played
        await talk.say(type="response.cancel")
        cancelled = await talk.next("response.cancelled")
        assert (await talk.next("state"))["state"] == "listening"
        return str(cancelled["text"])

    is_part_of(talk(spoken_to, do), LONG)


def is_part_of(heard: str, answer: tuple[str, ...]) -> None:
    """At least the first sentence and not the last; how many depends on how fast this machine is just now."""
    assert heard.startswith(answer[0].strip())
    assert "".join(answer).startswith(heard)
    assert answer[-1].strip() not in heard


def test_whoever_wants_to_read_only_gets_no_sound(spoken_to: Running, behind: Upstream) -> None:
    async def do(talk: Talk) -> dict[str, Any]:
        await talk.say(type="session.update", speak=False)
        assert not (await talk.next("session.updated"))["speak"]
        await talk.say(type="input.text", text="hi")
        heard = await talk.until("state", state="listening")
        assert not talk.sounds
        return next(message for message in heard if message["type"] == "response.done")

    assert talk(spoken_to, do)["first_audio_ms"] is None


@pytest.mark.parametrize(
    ("update", "code"),
    [
        ({"turns": "mine"}, "bad_message"),
        ({"turns": ["vad"]}, "bad_message"),
        ({"speak": "yes"}, "bad_message"),
        ({"voice": 1}, "bad_message"),
        ({"voice": "nobody"}, "unknown_voice"),
    ],
)
def test_a_change_that_can_not_be_made_is_an_error(spoken_to: Running, update: dict[str, Any], code: str) -> None:
    async def do(talk: Talk) -> None:
        await talk.say(type="session.update", **update)
        assert (await talk.next("error"))["code"] == code
        await talk.say(type="session.update")
        assert (await talk.next("session.updated"))["voice"] == ""

    talk(spoken_to, do)


def test_half_a_sample_is_an_error_and_the_rest_is_heard(spoken_to: Running, behind: Upstream, question: bytes) -> None:
    async def do(talk: Talk) -> str:
        await talk.socket.send(b"abc")
        assert (await talk.next("error"))["code"] == "bad_audio"
        await talk.socket.send(b"")
        await talk.socket.send(question)
        await talk.say(type="input.audio.end")
        return str((await talk.next("transcript", final=True))["text"])

    assert words(talk(spoken_to, do)) == words(QUESTION)


def test_a_turn_that_is_too_long_is_cut(spoken_to: Running, behind: Upstream, question: bytes) -> None:
    async def do(talk: Talk) -> None:
        await talk.say(type="session.update", turns="manual")
        await talk.socket.send(question * 4)
        assert (await talk.next("error"))["code"] == "too_long"
        assert words((await talk.next("transcript", final=True))["text"])[:4] == words(QUESTION)[:4]
        await talk.say(type="input.audio.end")  # of what was not heard
        await talk.until("response.done")
        await talk.say(type="response.cancel")
        await talk.socket.send(question)
        await talk.say(type="input.audio.end")
        assert words((await talk.next("transcript", final=True))["text"]) == words(QUESTION)

    talk(spoken_to, do)


def test_nothing_said_is_an_error_with_push_to_talk(spoken_to: Running) -> None:
    async def do(talk: Talk) -> None:
        await talk.say(type="session.update", turns="manual")
        for sound in (b"", silence(1), bytes(range(256)) * 60):
            await talk.socket.send(sound)
            await talk.say(type="input.audio.end")
            assert (await talk.next("error"))["code"] == "no_speech"

    talk(spoken_to, do)


def test_sigterm_while_it_speaks_ends_it_at_once(server: Upstream, behind: Upstream) -> None:
    behind.words = LONG

    with service("conversational", LLM_URL=f"{server.url}/v1", STT="none") as running:
        ends_in_words_at_sigterm(running, during="response.audio")


@needs_model
def test_a_model_without_the_internet_answers_aloud(question: bytes) -> None:
    async def do(talk: Talk) -> dict[str, Any]:
        await speak(talk, question)
        await talk.say(type="input.audio.end")
        return await talk.next("response.audio")

    with with_model() as embedded:
        (model,) = embedded.http.get("/v1/models").json()["data"]
        answers = {"LLM_URL": f"{embedded.url}/v1", "LLM_MODEL": model["id"]}
        with speaking(**answers) as running:
            assert words(talk(running, do)["text"])
