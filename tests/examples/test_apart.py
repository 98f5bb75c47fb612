"""The process of an engine of speech: what it does between calls."""

import queue
import subprocess
import sys
import threading
from multiprocessing.connection import Pipe

import pytest

from examples.conversational import apart
from tests.support.running import ROOT

FREES = """
import ctypes, os
from examples.conversational.apart import give_back
from supervisor import system
ctypes.CDLL(None).malloc_trim
def used():
    return system.usage_of([os.getpid()]).memory
kept = [bytearray(2000) for _ in range(20000)]
kept = kept[::40]  # what is still in use lies between what is not
before = used()
give_back()
print(before - used())
"""


class Engine:
    def say(self, text: str) -> str:
        return text.upper()


def test_memory_is_given_back_once_whenever_nobody_has_called_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    given: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr(apart, "QUIET", 0.05)
    monkeypatch.setattr(apart, "give_back", lambda: given.put("given"))
    ours, theirs = Pipe()
    thread = threading.Thread(target=apart.serve, args=(theirs, Engine()))
    thread.start()
    try:
        assert given.get(timeout=20) == "given", "after it was loaded"
        for word in ("a", "b"):
            ours.send(("say", (word,)))
            assert ours.recv() == (None, word.upper())
            assert given.get(timeout=20) == "given", "after it has worked"
            assert given.empty()
    finally:
        ours.close()
        thread.join()


@pytest.mark.live
@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone keeps so much, and can give it back")
def test_what_is_free_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", FREES], cwd=ROOT, capture_output=True, text=True, check=False)
    if "malloc_trim" in done.stderr:
        pytest.skip("this C library has no malloc_trim(3)")
    assert int(done.stdout) > 10 * 2**20, done.stderr
