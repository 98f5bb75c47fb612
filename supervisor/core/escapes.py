"""Terminal control codes in what programs print: taken out before people see it, and before patterns are looked for.

A service that prints `ESC c` or switches to the alternate screen would wipe the terminal of whoever looks at its logs;
ECMA-48 has the forms, xterm's ctlseqs the private ones.  Colours (SGR, `ESC [ … m`) change nothing but the text itself.
The controls of Unicode's bidirectional algorithm (UAX 9) go as well: they have terminals and pages show letters in
another order than they were printed in, so that `nimda` reads `admin`.
"""

import functools
import re

from supervisor.dataclass import dataclass

RESET = "\x1b[0m"
_SGR = r"\[[0-9;:]*m"  # not `ESC [ > 4 m`, which changes what the keyboard sends
_CSI = r"[0-?]*[ -/]*[@-~]?"
_OSC = r"[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
_STRING = r"[^\x1b\x9c\n]*(?:\x1b\\|\x9c)?"  # DCS, SOS, PM, APC
_DIRECTION = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
# C0, DEL, and C1 as characters, or as the bytes that an 8-bit terminal would take for them; and directions.
_CONTROL = rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\udc80-\udc9f{_DIRECTION}]"
# What follows is looked at behind the control, so that the search for it is one for a set of characters.
_REST = (
    rf"(?:(?<=\x1b)(?:\[{_CSI}|\]{_OSC}|[PX^_]{_STRING}|[ -/]*[0-~])"
    rf"|(?<=[\x9b\udc9b]){_CSI}|(?<=[\x9d\udc9d]){_OSC}|(?<=[\x90\x98\x9e\x9f\udc90\udc98\udc9e\udc9f]){_STRING})?"
)
_HARMLESS = bytes({*range(0x20, 0x7F), 0x09, 0x0A})


@dataclass(frozen=True, slots=True)
class _Patterns:
    code: re.Pattern[str]
    code_but_colours: re.Pattern[str]
    colour: re.Pattern[str]
    direction: re.Pattern[str]
    carriage_return: re.Pattern[str]  # within a line
    coloured_to_the_end: re.Pattern[str]  # a line


@functools.cache
def _patterns() -> _Patterns:
    """Compiled when the first code is met: most commands never meet one."""
    return _Patterns(
        re.compile(_CONTROL + _REST),
        re.compile(rf"{_CONTROL}(?!(?<=\x1b){_SGR}){_REST}"),
        re.compile(_SGR),
        re.compile(f"[{_DIRECTION}]"),
        re.compile(r"(?<!\r)\r++(?=[^\r\n])"),
        re.compile(r"(?m)^[^\x1b\n]*\x1b[^\n]*+(?<!\x1b\[0m)(?<!\x1b\[m)$"),
    )


def is_plain(data: bytes) -> bool:
    """Whether bytes are ASCII text without any code, which most output is; cheap."""
    return not data.translate(None, _HARMLESS)


def tamed(text: str, *, keeps_colours: bool = False) -> str:
    """`text` without control codes and directions, but for newlines, tabs and perhaps colours.

    A carriage return within a line, as progress bars print it, becomes a blank.  A line that has colours ends without.
    """
    first, *rest = text.split("\x1b")
    is_clean = _is_printable("".join((first, *rest)))
    if is_clean and not rest:
        return text
    patterns = _patterns()
    if is_clean and all(map(patterns.colour.match, rest)):  # quick, and most of what is coloured
        text = text if keeps_colours else first + "".join(patterns.colour.sub("", part, count=1) for part in rest)
    else:
        text = patterns.carriage_return.sub(" ", text)
        text = (patterns.code_but_colours if keeps_colours else patterns.code).sub("", text)
    return patterns.coloured_to_the_end.sub(rf"\g<0>{RESET}", text) if "\x1b" in text else text


def undirected(text: str) -> str:
    """`text` without the controls that have its letters shown in another order; all else stays."""
    return text if text.isascii() else _patterns().direction.sub("", text)


def _is_printable(text: str) -> bool:
    return text.replace("\n", "").replace("\t", "").isprintable()


def tamed_bytes(data: bytes, *, keeps_colours: bool = False) -> bytes:
    """The same of what a program printed, in whatever encoding."""
    if is_plain(data):
        return data
    return tamed(data.decode(errors="surrogateescape"), keeps_colours=keeps_colours).encode(errors="surrogateescape")


def segments(line: str) -> list[str]:
    """What a terminal shows of a line, one after the other where carriage returns write over it; without codes."""
    shown = [tamed(part) for part in line.split("\r")]
    return [part for part in shown if part] or [""]
