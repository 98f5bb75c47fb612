"""The file through which the shim is told which call has to fail, and tells how often each was made."""

import mmap
import re
import struct
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType

# `struct board` of shim.c
STEPS, DEPTHS, NAMES = 32, 4, 64
_HEAD = struct.Struct("=9i")
_AFFECTED = struct.Struct(f"={NAMES}i")
_COUNT = struct.Struct("=i")
_COUNTS_AT = _HEAD.size + _AFFECTED.size
_SIZE = _COUNTS_AT + STEPS * DEPTHS * NAMES * _COUNT.size
_HITS_AT = _HEAD.size - _COUNT.size

_SHIM = Path(__file__).with_name("shim.c").read_text(encoding="utf-8")
CALLS = re.findall(r"\bX\((\w+)\)", _SHIM.partition("#define X(")[0])
CUT_SHORT = -1  # instead of an errno: half of the bytes are written


class Board:
    """One board, for the processes of one command after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _SIZE)

    def __enter__(self) -> "Board":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._memory.close()

    def step(self, number: int) -> None:
        """From now on calls are of this step."""
        _COUNT.pack_into(self._memory, 0, number)

    def forget(self, step: int) -> None:
        """The calls of this step are counted anew."""
        size = DEPTHS * NAMES * _COUNT.size
        at = _COUNTS_AT + step * size
        self._memory[at : at + size] = bytes(size)

    def arm(self, step: int, depth: int, call: str, number: int, error: int, affected: Collection[str] = ()) -> None:
        """Fail a call, counted from 1 in its step and depth, and then those that are `affected` until the step ends."""
        flags = [int(name in affected) for name in CALLS]
        _AFFECTED.pack_into(self._memory, _HEAD.size, *flags, *[0] * (NAMES - len(flags)))
        _HEAD.pack_into(self._memory, 0, self._step(), 1, step, depth, CALLS.index(call), number, error, bool(flags), 0)

    def relieve(self) -> None:
        """No call fails any more; how many have is still to be asked."""
        _COUNT.pack_into(self._memory, _COUNT.size, 0)

    @property
    def hits(self) -> int:
        """How many calls have failed."""
        hits: int = _COUNT.unpack_from(self._memory, _HITS_AT)[0]
        return hits

    def disarm(self) -> int:
        """No call fails any more; how many have."""
        hits = self.hits
        self.relieve()
        return hits

    def counts(self) -> Mapping[tuple[int, int, str], int]:
        """How often a call was made, by step, depth and name."""
        found: dict[tuple[int, int, str], int] = {}
        for step in range(STEPS):
            for depth in range(DEPTHS):
                for at, name in enumerate(CALLS):
                    offset = _COUNTS_AT + ((step * DEPTHS + depth) * NAMES + at) * _COUNT.size
                    if count := _COUNT.unpack_from(self._memory, offset)[0]:
                        found[step, depth, name] = count
        return found

    def _step(self) -> int:
        step: int = _COUNT.unpack_from(self._memory, 0)[0]
        return step
