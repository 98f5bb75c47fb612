"""Engines of speech in a process of their own: both ends.

The service asks by `Apart`, which is like the engine; `python -m examples.conversational.apart` is the process. Between
them are pickled calls, one at a time: ("transcribe", arguments), and then its result or what it raised.
"""

import contextlib
import ctypes
import json
import os
import socket
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from examples.child import Child, live_like_the_parent
from examples.conversational import audio, engines, recognizers
from examples.conversational.engines import FAULTS, SPEAKERS, Absent, UnknownLanguage, Voice, Words
from examples.conversational.recognizers import RECOGNIZERS

# What the other end understands; anything else that is raised there is for the log, and a RuntimeError here.
TOLD = (UnknownLanguage, audio.BadAudio, audio.TooLong, ImportError)
QUIET = 1.0  # seconds without a call after which memory is given back


class Died(Exception):
    """The process ended before it had answered."""


class NeverAsked(Exception):
    """The process had ended before it was asked."""


def maker(setting: str, wanted: str) -> Callable[[], Any]:
    """What makes the engine of that setting (STT or TTS) that is called so; `auto` is the best that there is."""
    if setting == "STT":
        return recognizers.Several if wanted == "auto" else RECOGNIZERS[wanted]
    return engines.Several if wanted == "auto" else SPEAKERS[wanted]


class Apart(Child):
    """A Recognizer or a Speaker that works in a process of its own; for one thread, which its calls block."""

    def __init__(self, setting: str, wanted: str) -> None:
        """Loads it; raises Absent."""
        ours, theirs = socket.socketpair()
        with theirs:
            about = {"setting": setting, "wanted": wanted, "at": theirs.fileno()}
            super().__init__("examples.conversational.apart", about, [theirs.fileno()], says=False)
        self._line = Connection(ours.detach())
        try:
            problem, self.name, self.languages, self.voices = self._line.recv()
        except (EOFError, OSError):
            problem = f"its process ended with {self.wait()} while it was being loaded"
        if problem:
            self.close()
            raise Absent(problem)

    def transcribe(self, pcm: bytes, language: str, quick: bool = False) -> Words:
        """As of a Recognizer."""
        found = self._call("transcribe", pcm, language, quick)
        assert isinstance(found, Words)
        return found

    def voice_for(self, language: str) -> str:
        """As of a Speaker."""
        return str(self._call("voice_for", language))

    def say(self, text: str, voice: str) -> bytes:
        """As of a Speaker."""
        found = self._call("say", text, voice)
        assert isinstance(found, bytes)
        return found

    def decoded(self, content: bytes, wanted: int, most_seconds: float) -> bytes:
        """`audio.decoded`, whose libraries take memory as well."""
        found = self._call("decoded", content, wanted, most_seconds)
        assert isinstance(found, bytes)
        return found

    def encoded(self, pcm: bytes, rate: int, kind: str) -> bytes:
        """`audio.encoded`."""
        found = self._call("encoded", pcm, rate, kind)
        assert isinstance(found, bytes)
        return found

    def _call(self, what: str, *arguments: Any) -> object:
        try:
            self._line.send((what, arguments))
        except OSError:
            raise NeverAsked from None
        try:
            error, result = self._line.recv()
        except (EOFError, OSError):
            raise Died from None
        if error is not None:
            raise error
        return result

    def close(self) -> None:
        """Ends it at once; whoever waits for an answer gets Died."""
        super().close()
        self._line.close()


def give_back() -> None:
    """Returns memory to the system that is free in this process, malloc_trim(3): after a model was loaded, or has
    worked, that is up to 40 MB.  Only glibc keeps so much, and can do this."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def serve(line: Connection, engine: Any) -> None:
    """Answers calls until nobody is there to make them."""
    others: dict[str, Callable[..., Any]] = {"decoded": audio.decoded, "encoded": audio.encoded}
    while True:
        if not line.poll(QUIET):
            give_back()
        try:
            what, arguments = line.recv()
        except EOFError:
            return
        answer: tuple[Exception | None, Any]
        try:
            answer = None, (others.get(what) or getattr(engine, what))(*arguments)
        except TOLD as error:
            answer = type(error)(str(error)), None
        except Exception as error:
            traceback.print_exc()
            answer = RuntimeError(str(error) or type(error).__name__), None
        line.send(answer)


def main(about: dict[str, Any]) -> None:
    """Loads the engine, says which it is, and serves."""
    live_like_the_parent()
    line = Connection(int(about["at"]))
    os.set_inheritable(line.fileno(), False)  # what the engine starts must not keep it open
    try:
        engine = maker(about["setting"], about["wanted"])()
        engine.load()
    except FAULTS as error:
        line.send((f"{error}", "", (), ()))
        return
    languages: tuple[str, ...] = getattr(engine, "languages", ())
    voices: tuple[Voice, ...] = getattr(engine, "voices", ())
    line.send(("", engine.name, languages, voices))
    serve(line, engine)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
    sys.stderr.flush()
    os._exit(0)
