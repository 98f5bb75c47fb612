"""Answers questions that take time in children of ours, so that the loop goes on meanwhile.

A search through all processes of the machine, or through a large one, takes as long as others want it to.  A child is a
fork(2): it knows what we know, changes nothing of ours, and can be killed when it takes too long.
"""

import contextlib
import gc
import json
import os
import signal
from collections import deque
from collections.abc import Callable

from supervisor import system
from supervisor.annotations import Any, NoReturn
from supervisor.daemon.handoff.hearing import Loop, Timer
from supervisor.dataclass import dataclass, field
from supervisor.system.pipes import close_pipe, read_pipe

MOST = 4  # children at a time; further questions wait for their turn
WITHIN = 20.0  # seconds that an answer may take
TRY_AGAIN = 0.1  # seconds until the kernel is asked once more to tell of an answer
NICE = 10  # how much others come first where nobody waits for the answer, nice(2)
CHUNK = 1 << 16

Question = Callable[[], Any]  # asked in the child; the answer must be fit for JSON
Answer = Callable[[Any], None]  # None: it could not be found out


@dataclass(slots=True)
class _Asked:
    question: Question
    answer: Answer
    within: float
    nice: int
    pid: int = 0
    source: int = -1
    said: bytearray = field(default_factory=bytearray)
    timer: Timer | None = None

    def reaped(self, _status: int) -> None:
        """Its pid may be that of a stranger from now on."""
        self.pid = 0


class Inquiries:
    """The children that answer questions; `watch` is that of whoever reaps all children of this process."""

    def __init__(self, loop: Loop, watch: Callable[[int, Callable[[int], None]], object]) -> None:
        self._loop = loop
        self._watch = watch
        self._waiting: deque[_Asked] = deque()
        self._at_work: dict[int, _Asked] = {}

    def ask(self, question: Question, answer: Answer, within: float = WITHIN, nice: int = 0) -> None:
        """Calls `answer` from the loop, later, with what `question` gives in a child; with None where that fails.

        `question` sees everything as it is when its child is forked, which is at once unless others are being answered.
        """
        self._waiting.append(_Asked(question, answer, within, nice))
        self._begin()

    def close(self) -> None:
        """Asks nothing more; who waits gets no answer."""
        self._waiting.clear()
        for asked in tuple(self._at_work.values()):
            self._forget(asked)

    def _begin(self) -> None:
        while self._waiting and len(self._at_work) < MOST:
            asked = self._waiting.popleft()
            try:
                asked.pid, asked.source = _fork(asked.question, asked.within, asked.nice)
            except OSError:  # no process, memory or descriptor left
                self._loop.call_later(0.0, lambda answer=asked.answer: answer(None))  # type: ignore[misc]
                continue
            if asked.pid:
                self._watch(asked.pid, asked.reaped)
            self._at_work[asked.source] = asked
            self._listen(asked)
            asked.timer = self._loop.call_later(asked.within, lambda asked=asked: self._give_up(asked))  # type: ignore[misc]

    def _listen(self, asked: _Asked) -> None:
        if self._at_work.get(asked.source) is not asked:  # given up meanwhile
            return
        try:
            self._loop.add_reader(asked.source, lambda: self._read(asked))
        except OSError:  # no memory to be told of the answer just now
            self._loop.call_later(TRY_AGAIN, lambda: self._listen(asked))

    def _read(self, asked: _Asked) -> None:
        try:
            data = read_pipe(asked.source, CHUNK)
        except BlockingIOError:
            return
        asked.said += data
        if data:
            return
        self._forget(asked)
        try:
            found = json.loads(asked.said)
        except ValueError:  # it was killed, or made a mistake
            found = None
        self._begin()
        asked.answer(found)

    def _give_up(self, asked: _Asked) -> None:
        self._forget(asked)
        self._begin()
        asked.answer(None)

    def _forget(self, asked: _Asked) -> None:
        del self._at_work[asked.source]
        self._loop.remove_reader(asked.source)
        close_pipe(asked.source)
        if asked.timer is not None:
            asked.timer.cancel()
        if asked.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(asked.pid, signal.SIGKILL)


def _fork(question: Question, within: float, nice: int) -> tuple[int, int]:
    """The pid of the child, and where to read its answer; raises OSError."""
    if system.HAS_JOBS:
        return system.answer_of(question)
    system.prepare_spawning()
    source, sink = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) if hasattr(os, "pipe2") else os.pipe()
    parent = os.getpid()
    # Until the child has let go of our handlers no signal may reach it: they write to a pipe that we share.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            _be_a_child(question, within, nice, sink, parent)
    except OSError:
        os.close(source)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(sink)
    return pid, source


def _be_a_child(question: Question, within: float, nice: int, sink: int, parent: int) -> NoReturn:
    try:
        gc.disable()  # it would write to all the memory that we share
        system.set_parent_death_signal(signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel knew
            os._exit(1)
        signal.set_wakeup_fd(-1)
        for number in signal.valid_signals():
            if number == signal.SIGALRM or callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        signal.alarm(int(within) + 2)  # where nobody kills it
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.closerange(0, sink)  # locks, sockets and pipes: whatever ends with us must end with us alone
        os.closerange(sink + 1, os.sysconf("SC_OPEN_MAX"))
        os.set_blocking(sink, True)
        os.nice(nice)
        data = json.dumps(question()).encode()
        while data:
            data = data[os.write(sink, data) :]
    finally:  # nothing of the parent's may run here, not even the report of a mistake
        os._exit(0)
    raise AssertionError("_exit came back")
