"""What a terminal shows of the bytes that came to it: as much of one as portsup needs, and no sequence more."""

import re

TOKEN = re.compile(rb"\x1b\[(\d*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


class Screen:
    """A terminal with room above for ever; it breaks lines at `columns`, and fails on a sequence it does not know."""

    def __init__(self, columns: int = 80) -> None:
        self.columns = columns
        self.rows: list[str] = [""]
        self._row = self._column = 0

    def feed(self, data: bytes) -> "Screen":
        """Takes what a program wrote; the line discipline has made CR LF of LF, or not."""
        position = 0
        while position < len(data):
            token = TOKEN.match(data, position)
            assert token is not None, f"an escape sequence that nobody knows: {data[position : position + 12]!r}"
            count, letter, control, text = token.groups()
            position = token.end()
            if letter == b"A":
                self._row = max(0, self._row - int(count or 1))
            elif letter == b"J":
                self.rows[self._row] = self.rows[self._row][: self._column]
                del self.rows[self._row + 1 :]
            elif letter is not None:
                assert letter == b"m", f"an escape sequence that nobody knows: {token.group()!r}"
            elif control == b"\r":
                self._column = 0
            elif control == b"\n":
                self._down()
            else:
                self._print(text.decode())
        return self

    def _down(self) -> None:
        self._row += 1
        self._column = 0
        while len(self.rows) <= self._row:
            self.rows.append("")

    def _print(self, text: str) -> None:
        for char in text:
            if self._column == self.columns:
                self._down()
            row = self.rows[self._row].ljust(self._column)
            self.rows[self._row] = row[: self._column] + char + row[self._column + 1 :]
            self._column += 1

    @property
    def lines(self) -> list[str]:
        """What is there to be read, without blank lines at the end."""
        rows = [row.rstrip() for row in self.rows]
        while rows and not rows[-1]:
            rows.pop()
        return rows
