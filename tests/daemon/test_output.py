"""What of a service's output is shown, with a loop that only remembers whom to call."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.spec import LogLimits
from supervisor.daemon.service.output import Output
from supervisor.logs.redactor import Redactor
from supervisor.logs.service_log import ServiceLog
from supervisor.process import output as pipes

SECRET = "s3cret-word"


class Loop:
    def __init__(self) -> None:
        self.readers: dict[int, Callable[[], None]] = {}

    def add_reader(self, fd: int, call: Callable[..., None], *arguments: Any) -> None:
        self.readers[fd] = lambda: call(*arguments)

    def remove_reader(self, fd: int) -> None:
        self.readers.pop(fd, None)


class Printing:
    """A process that prints to its stdout what the test says."""

    def __init__(self, log: ServiceLog, redactor: Redactor) -> None:
        self.loop, self.shown, self.probed = Loop(), b"", b""
        self.output = Output(self.loop, "web", log, self._show, redactor)  # type: ignore[arg-type]
        self.output.also = self._probe
        self.stdout = os.dup(self.output.theirs[0])
        self.output.begin()

    def prints(self, data: bytes) -> None:
        os.write(self.stdout, data)
        for call in [*self.loop.readers.values()]:
            call()

    def ends(self) -> None:
        os.close(self.stdout)
        self.output.finish()

    def _show(self, _: pipes.Stream, lines: bytes, now: float) -> None:
        self.shown += lines

    def _probe(self, _: pipes.Stream, data: bytes) -> None:
        self.probed += data


@given(
    st.lists(st.sampled_from([SECRET.encode()[:n] for n in range(12)] + [b"\n", b"x" * 9, b"\r", b"\xff"]), max_size=25)
)
def test_no_secret_is_shown_however_it_is_printed(data: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipes, "LONGEST_LINE", 16)  # so that lines come in pieces
        patch.setattr(pipes, "READ_SIZE", 7)
        process = Printing(ServiceLog("/dev/null/none.log", LogLimits()), Redactor([SECRET]))
        for each in data:
            if each:
                process.prints(each)
        process.ends()
    printed = b"".join(data)
    assert process.probed == printed
    assert SECRET.encode() not in process.shown
    assert process.shown == printed.replace(SECRET.encode(), b"***")


def test_output_stays_as_it_is_from_when_that_is_wanted(tmp_path: Path) -> None:
    """And the other way round; nothing of a piece that waits is lost."""
    log = ServiceLog(tmp_path / "web.log", LogLimits())
    process = Printing(log, Redactor([SECRET]))
    process.prints(f"one {SECRET}\n".encode())
    process.prints(b"x" * (pipes.LONGEST_LINE // 2))
    process.prints(b"x" * (pipes.LONGEST_LINE // 2))
    assert process.shown.count(b"x") == pipes.LONGEST_LINE - len(SECRET) + 1
    log.limit(LogLimits(redact=False))
    process.prints(f"\ntwo {SECRET}\n".encode())
    log.limit(LogLimits())
    process.prints(f"three {SECRET}\n".encode())
    process.ends()
    log.close()
    expected = b"one ***\n" + b"x" * pipes.LONGEST_LINE + f"\ntwo {SECRET}\nthree ***\n".encode()
    assert process.shown == (tmp_path / "web.log").read_bytes() == expected
