"""The page of Conversational in a real browser, whose microphone is a recording."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.conversational import audio
from tests.examples.extras import needs_speech
from tests.examples.running import Running, service
from tests.examples.talking import LONG, QUESTION, speaking, words
from tests.examples.upstream import Upstream
from tests.support.eventually import eventually
from tests.support.needed import need_program
from tests.support.ports import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.live, needs_speech]
# What is played, and when, and at which rate: a browser without a loudspeaker plays it all the same.
LISTEN = """
window.played = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when) {
  played.push([this.buffer.duration, this.buffer.sampleRate]);
  return start.call(this, when);
};
"""
NO_MICROPHONE = """
navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("no", "NotAllowedError"); };
"""


@pytest.fixture(scope="module")
def spoken_to(server: Upstream) -> Iterator[Running]:
    with speaking(LLM_URL=f"{server.url}/v1") as running:
        yield running


@pytest.fixture(scope="module")
def browser(spoken_to: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Browser"]:
    """Hears the question once, whenever a page opens the microphone."""
    from playwright.sync_api import sync_playwright

    chromium = need_program("chromium")
    spoken = spoken_to.http.post("/tts", json={"text": QUESTION}).content
    recording: Path = tmp_path_factory.mktemp("recording") / "question.wav"
    pcm = bytes(48000) + audio.read_wav(spoken, 48000, 60) + bytes(4 * 48000)
    recording.write_bytes(audio.write_wav(pcm, 48000))  # the usual rate of microphones
    flags = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={recording}%noloop",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        browser.close()


@contextmanager
def opened(browser: "Browser", url: str, script: str = "", path: str = "/") -> Iterator["Page"]:
    """The page, which must not complain in the browser's console nor ask anybody else for anything."""
    context = browser.new_context(viewport={"width": 320, "height": 600})
    page = context.new_page()
    page.set_default_timeout(40000)
    complaints: list[str] = []
    elsewhere: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if "Security Policy" in message.text else None)
    page.on("request", lambda request: elsewhere.append(request.url) if not request.url.startswith(url) else None)
    page.add_init_script(LISTEN + script)
    page.goto(url + path)
    try:
        yield page
        assert (complaints, elsewhere) == ([], [])
    finally:
        context.close()


def until(page: "Page", state: str) -> None:
    page.locator(f"body[data-state={state}]").wait_for()


def played(page: "Page") -> list[list[float]]:
    found: list[list[float]] = page.evaluate("window.played")
    return found


def test_a_person_types_and_is_answered_aloud(browser: "Browser", spoken_to: Running, behind: Upstream) -> None:
    behind.words = ("It is true.",)
    with opened(browser, spoken_to.url) as page:
        until(page, "listening")
        page.fill("#text", "Is it <b>true</b>?")
        page.keyboard.press("Enter")
        page.locator("article.mine", has_text="Is it <b>true</b>?").wait_for()
        page.locator("article:not(.mine)", has_text="It is true.").wait_for()
        eventually(lambda: bool(played(page)), within=40, what="a sound")
        until(page, "listening")
        ((duration, rate),) = played(page)
        assert rate == 24000
        assert duration == pytest.approx(1, abs=0.7)
        assert page.input_value("#text") == ""


def test_a_person_holds_a_key_and_talks(browser: "Browser", spoken_to: Running, behind: Upstream) -> None:
    behind.words = LONG
    with opened(browser, spoken_to.url) as page:
        until(page, "listening")
        page.focus("#talk")
        page.keyboard.down(" ")
        page.locator("#talk[aria-pressed=true]").wait_for()
        # What was understood appears while the key is still held.
        page.locator("article.mine.unsure", has_text="Spain").wait_for()
        page.keyboard.up(" ")
        final = page.locator("article.mine:not(.unsure)")
        final.wait_for()
        assert words(final.inner_text()) == words(QUESTION)
        page.locator("article:not(.mine)", has_text=LONG[-1].strip()).wait_for()
        until(page, "speaking")
        eventually(lambda: played(page), within=60, what="sound")
        page.click("#stop")
        until(page, "listening")
        page.locator("article.cut").wait_for()
        assert {rate for _, rate in played(page)} == {24000}
    assert words(behind.asked("/v1/chat/completions")[-1]["messages"][-1]["content"]) == words(QUESTION)


def test_a_person_talks_without_hands_and_interrupts(browser: "Browser", spoken_to: Running, behind: Upstream) -> None:
    behind.words = LONG
    with opened(browser, spoken_to.url) as page:
        until(page, "listening")
        page.fill("#text", "Tell me a lot.")
        page.keyboard.press("Enter")
        until(page, "speaking")
        page.check("#hands-free")
        page.locator("article.cut").wait_for()  # the recording has begun to speak
        page.locator("article.mine:not(.unsure)", has_text="Spain").wait_for()
        until(page, "speaking")
        page.uncheck("#hands-free")
        page.keyboard.press("Escape")
        until(page, "listening")


def test_waiting_is_seen_and_answers_are_laid_out(browser: "Browser", spoken_to: Running, behind: Upstream) -> None:
    behind.words = ("It is **true**:\n\n", "- one\n- `<b>`\n")
    behind.holds = True
    with opened(browser, spoken_to.url) as page:
        page.locator("#state-word", has_text="ready").wait_for()  # the microphone is off
        page.locator("#examples button", has_text="Quién eres").click()
        page.locator("article.waiting").wait_for()
        assert page.locator("#send").is_hidden()
        assert page.locator("#stop").is_visible()
        page.locator("article.waiting", has_text="3 s").wait_for()
        behind.holds = False
        behind.go_on.set()
        answer = page.locator("article:not(.mine)", has=page.locator("footer"))
        answer.wait_for()
        assert answer.locator("strong").inner_text() == "true"
        assert answer.locator("li").all_inner_texts() == ["one", "<b>"]
        assert page.locator("article.waiting").count() == 0
        until(page, "listening")
        page.click("#new")
        page.locator("#empty").wait_for()
        until(page, "listening")
        assert page.locator("article").count() == 0


def test_errors_are_told_in_words(browser: "Browser") -> None:
    away = f"http://127.0.0.1:{free_port()}/v1"
    with (
        service("conversational", LLM_URL=away, TTS="none") as running,
        opened(browser, running.url, NO_MICROPHONE) as page,
    ):
        until(page, "listening")
        page.fill("#text", "hi")
        page.keyboard.press("Enter")
        page.locator("#notice", has_text="Nobody can answer just now").wait_for()
        page.click("#notice-close")
        assert page.locator("#notice").is_hidden()
        page.click("#talk")
        page.locator("#notice", has_text="does not let this page use the microphone").wait_for()
        assert page.locator("#aloud").is_disabled()
        running.terminate()
        until(page, "disconnected")
        page.locator("#notice", has_text="trying again").wait_for()


def test_a_page_for_reading_only_says_so(browser: "Browser", server: Upstream) -> None:
    muted = {"STT": "none", "TTS": "none", "CONVERSATION_TOKEN": "r\u00efght ~"}
    with service("conversational", LLM_URL=f"{server.url}/v1", **muted) as running:
        with opened(browser, running.url) as page:
            page.fill("#token", "wrong")
            page.keyboard.press("Enter")
            page.locator("#notice", has_text="not the token").wait_for()
            page.fill("#token", "r\u00efght ~")
            page.keyboard.press("Enter")
            until(page, "listening")
            page.locator("#talk-hint", has_text="This service can only read").wait_for()
            assert page.locator("#talk").is_disabled()
        with opened(browser, running.url, path="/#token=r%C3%AFght%20~") as page:
            until(page, "listening")
            assert page.evaluate("location.hash") == ""


def test_everything_fits_a_narrow_screen_and_is_reached_by_keys(browser: "Browser", spoken_to: Running) -> None:
    with opened(browser, spoken_to.url) as page:
        until(page, "listening")
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        reached = []
        for _ in range(9):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.id"))
        assert reached == ["log", "", "", "", "text", "send", "hands-free", "talk", "aloud"]  # with three examples
