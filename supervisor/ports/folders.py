"""Which folder had which instance number the last time: a file in the state directory, which outlives the runs."""

import contextlib
import errno
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from supervisor.core.instance import LAST_PORT, Remembered, remembering
from supervisor.files.content import read
from supervisor.files.directory import make
from supervisor.files.opening import Refused, explained
from supervisor.files.replacement import write
from supervisor.ports.lockfile import FileLock
from supervisor.system.identity import is_finite
from supervisor.words import directories as words

LARGEST = 4 << 20  # bytes; an entry has about 150
DAMAGED = ".damaged"  # the ending of one that was set aside, because it or a part of it makes no sense
PATIENCE = 2.0  # seconds for who writes the file just now; it takes them less than a millisecond


class _State(StrEnum):
    GOOD = "good"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"


class Folders:
    """The memory of instance numbers.  It advises: locks alone decide who has a number."""

    def __init__(self, state_directory: str) -> None:
        self._directory = state_directory
        self.path = os.path.join(state_directory, "folders.json")
        self.trouble = ""  # what was wrong with the file, the last time it was read
        self._state = _State.GOOD

    def all(self) -> list[Remembered]:
        """Everything that is remembered, by stack and number; `trouble` says what could not be read of it."""
        self.trouble, self._state = "", _State.GOOD
        try:
            text = read(self.path, LARGEST)
        except FileNotFoundError:
            return []
        except OSError as error:
            self.trouble, self._state = words.numbers_unreadable(self.path, explained(error)), _State.UNREADABLE
            return []
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, list):
            self._state = _State.DAMAGED if text.strip() else _State.GOOD
            self.trouble = words.numbers_damaged(self.path) if text.strip() else ""
            return []
        found = [entry for each in value if (entry := _entry(each)) is not None]
        if len(found) < len(value):
            self._state = _State.DAMAGED
            self.trouble = words.numbers_left_out(self.path, len(value) - len(found))
        return sorted(found, key=lambda each: (each.stack, each.number))

    def of(self, stack: str) -> list[Remembered]:
        """What is remembered of one stack."""
        return [each for each in self.all() if each.stack == stack]

    def keep(self, stack: str, folder: str, number: int) -> None:
        """Remembers that the folder has this number now, and nobody else; raises OSError."""
        self._change(lambda known: remembering(known, Remembered(stack, folder, number, time.time())))

    def forget_gone(self) -> int:
        """Forgets the numbers of folders that are gone; how many.  Raises OSError."""
        before: list[Remembered] = []

        def left(known: Sequence[Remembered]) -> list[Remembered]:
            before.extend(each for each in known if not each.exists)
            return [each for each in known if each.exists]

        self._change(left)
        return len(before)

    def _change(self, change: Callable[[Sequence[Remembered]], Sequence[Remembered]]) -> None:
        make(self._directory)
        with self._locked():
            kept = change(self.all())
            if self._state is _State.UNREADABLE:
                raise Refused(errno.EINVAL, words.stays(self.trouble), self.path)
            if self._state is _State.DAMAGED:
                self._set_aside()
            told = [
                {"stack": each.stack, "folder": each.folder, "instance": each.number, "used": round(each.used, 3)}
                for each in kept
            ]
            write(self.path, json.dumps(told).encode() + b"\n", mode=0o600, durable=True)

    def _set_aside(self) -> None:
        """Keeps what is damaged under another name; under its own, too, until there is something to replace it."""
        damaged = self.path + DAMAGED
        with contextlib.suppress(OSError):
            os.unlink(damaged)
        try:
            os.link(self.path, damaged)
        except (OSError, NotImplementedError):  # a file system without hard links
            os.replace(self.path, damaged)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(os.path.join(self._directory, "folders.lock"))
        deadline = time.monotonic() + PATIENCE
        while not lock.acquire():
            if time.monotonic() > deadline:
                raise OSError(words.lock_stuck(lock.path))
            time.sleep(0.005)
        try:
            yield
        finally:
            lock.release()


def _entry(value: object) -> Remembered | None:
    match value:
        case {"stack": str(stack), "folder": str(folder), "instance": int(number), "used": int() | float() as used}:
            if 1 <= number <= LAST_PORT and not isinstance(number, bool) and is_finite(used):
                return Remembered(stack, folder, number, float(used), exists=os.path.isdir(folder))
    return None
