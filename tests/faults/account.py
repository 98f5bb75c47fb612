"""The account of a run in a file, so that a long one can go on where it was left.

A line is `? POINT` for each point, in the order in which they are tried; then `. POINT` for each that was tried, or
`! POINT` where something was wrong.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.faults.points import Point


class Account:
    """What has to be tried, and what was."""

    def __init__(self, file: Path | None) -> None:
        self.points: list[Point] = []
        self.found: list[Point] = []
        self._tried: set[Point] = set()
        self._file = file
        if file is not None and file.exists():
            for line in file.read_text(encoding="utf-8").splitlines():
                self._read(*line.split(maxsplit=1))

    def begin(self, points: Iterable[Point]) -> None:
        """Makes these the points of a run that is new."""
        self.points = list(points)
        if self._file is not None:
            self._file.write_text("".join(f"? {point}\n" for point in self.points), encoding="utf-8")

    def left(self) -> Sequence[Point]:
        """Those that were not tried yet."""
        return [point for point in self.points if point not in self._tried]

    def note(self, point: Point, *, is_wrong: bool) -> None:
        """This one was tried."""
        self._read("!" if is_wrong else ".", str(point))
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"{'!' if is_wrong else '.'} {point}\n")

    def __len__(self) -> int:
        """How many were tried."""
        return len(self._tried)

    def _read(self, what: str, text: str) -> None:
        point = Point.parse(text)
        if what == "?":
            self.points.append(point)
            return
        self._tried.add(point)
        if what == "!":
            self.found.append(point)
