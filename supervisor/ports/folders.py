"""Which folder had which instance number the last time: a file in the state directory, which outlives the runs."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence

from supervisor.core.instance import Remembered, remembering
from supervisor.ports.lockfile import FileLock
from supervisor.ports.record import read_json, write_json

PATIENCE = 2.0  # seconds for who writes the file just now; it takes them less than a millisecond


class Folders:
    """The memory of instance numbers.  It advises: locks alone decide who has a number."""

    def __init__(self, state_directory: str) -> None:
        self._directory = state_directory
        self.path = os.path.join(state_directory, "folders.json")

    def all(self) -> list[Remembered]:
        """Everything that is remembered, by stack and number; nothing where the file cannot be read."""
        value = read_json(self.path)
        found = (_entry(each) for each in value) if isinstance(value, list) else ()
        return sorted((each for each in found if each is not None), key=lambda each: (each.stack, each.number))

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
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        with self._locked():
            kept = change(self.all())
            write_json(self.path, [
                {"stack": each.stack, "folder": each.folder, "instance": each.number, "used": round(each.used, 3)}
                for each in kept
            ])  # fmt: skip

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(os.path.join(self._directory, "folders.lock"))
        deadline = time.monotonic() + PATIENCE
        while not lock.acquire():
            if time.monotonic() > deadline:
                raise OSError(f"`{lock.path}` is locked by somebody who does not go on")
            time.sleep(0.005)
        try:
            yield
        finally:
            lock.release()


def _entry(value: object) -> Remembered | None:
    match value:
        case {"stack": str(stack), "folder": str(folder), "instance": int(number), "used": int() | float() as used}:
            return Remembered(stack, folder, number, float(used), exists=os.path.isdir(folder))
    return None
