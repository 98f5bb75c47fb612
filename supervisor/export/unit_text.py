"""How values are written in units of systemd, systemd.syntax(7): the one place that quotes for it."""

from collections.abc import Sequence

from supervisor.errors import PortsupError
from supervisor.export.veil import MARK

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
_PLAIN = frozenset("@+=:,./_-%")
_CONTROLS = (*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)))


def plain(text: str) -> str:
    """A value that systemd does not split, such as a path; `%` would begin a specifier of systemd.unit(5).

    Raises PortsupError for characters that no such value can hold.
    """
    if not text.isprintable():
        raise _refused(text)
    return text.replace("%", "%%")


def word(text: str) -> str:
    """One word of a list such as `Environment=`; raises PortsupError for characters that no unit can hold."""
    if text and all(char.isalnum() or char in _PLAIN for char in text):
        return text.replace("%", "%%")
    if any(char in _CONTROLS and char not in _ESCAPES for char in text) or not _is_utf8(text):
        raise _refused(text)
    return '"' + "".join(_ESCAPES.get(char, char) for char in text).replace("%", "%%") + '"'


def command(words: Sequence[str]) -> str:
    """A command line; `$` begins a variable but in the first word, so it is doubled where no secret belongs."""
    return " ".join((word(words[0]), *(_argument(each) for each in words[1:])))


def _argument(text: str) -> str:
    parts = text.split(MARK)
    if len(parts) == 1:
        return word(text).replace("$", "$$")
    whole = "".join(f"${{{part}}}" if number % 2 else _inner(part) for number, part in enumerate(parts))
    return f'"{whole}"'


def _inner(text: str) -> str:
    return word(f"{text} ")[1:-2].replace("$", "$$") if text else ""  # the blank is for the quotes


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refused(text: str) -> PortsupError:
    hint = "rename the file or directory, or change the value"
    return PortsupError("cannot write a unit of systemd", f"{text!r} has characters that it cannot hold", hint)
