"""Reads files as text, and says what keeps it from that; and which ports the system gives away by itself."""

import codecs
import errno
import os
import re
from collections.abc import Callable
from pathlib import Path

from supervisor.config.names import NAMES
from supervisor.config.tree import Position
from supervisor.files.content import read
from supervisor.files.opening import Refused

LARGEST = 1024 * 1024  # bytes of a file
_RANGE_FILE = "/proc/sys/net/ipv4/ip_local_port_range"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]")
_ODD_SPACE = re.compile("^[ \t]*([\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff])", re.MULTILINE)


def content_of(path: Path, complain: Callable[[str, str], None]) -> bytes | None:
    """What a file holds; None after complaining of the reason, with a hint."""
    try:
        return read(path, LARGEST, follow=True)
    except FileNotFoundError:
        complain("there is no such file", "check the path")
    except Refused as error:
        if error.errno == errno.EFBIG:
            what = f"is larger than {LARGEST // 1024 // 1024} MiB, no configuration is"
            complain(what, "check that it is the right file")
            return None
        if error.errno != errno.EISDIR:
            complain("is no regular file", "save it as a file, and name that")
            return None
        inside = next((name for name in NAMES if os.path.isfile(path / name)), "")
        complain("is a directory, not a file", f"name the file in it: `{path / inside}`" if inside else "name a file")
    except PermissionError:
        complain("you may not read this file", f"give yourself read permission: `chmod u+r {path.name}`")
    except (OSError, ValueError) as error:
        complain(f"cannot be read: {getattr(error, 'strerror', None) or error}", "")
    return None


def decoded(content: bytes) -> tuple[str, tuple[Position, str, str] | None]:
    """The text, and where what is wrong with it, with a hint."""
    halves = (content[:200:2], content[1:200:2])  # of plain letters in UTF-16, one of each two bytes is 0
    is_wide = any(len(each) > 3 and each.count(0) * 10 >= len(each) * 9 for each in halves)
    if is_wide or content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "", (Position(1, 1), "is UTF-16, portsup reads UTF-8", "save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = 3 if content.startswith(codecs.BOM_UTF8) else 0
        before = content[start : start + error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        bad = content[start + error.start]
        return "", (Position(line, column), f"byte 0x{bad:02x} is not UTF-8", "save the file as UTF-8")
    if found := _CONTROL.search(text):
        return "", (_place(text, found.start()), f"control character U+{ord(found[0]):04X} in the text", "remove it")
    if found := _ODD_SPACE.search(text):
        reason = f"character U+{ord(found[1]):04X} in the indentation looks like a space but is not one"
        return "", (_place(text, found.start(1)), reason, "type spaces in its place")
    return text, None


def outgoing_ports() -> range:
    """The ports that the system gives to outgoing connections (ip(7)); none where it does not say."""
    try:
        first, last = Path(_RANGE_FILE).read_text(encoding="ascii").split()
        return range(int(first), int(last) + 1)
    except (OSError, ValueError):
        return range(0)


def _place(text: str, offset: int) -> Position:
    return Position(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
