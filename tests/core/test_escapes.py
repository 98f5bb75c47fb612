"""What of a program's control codes people get to see: colours at most."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.escapes import is_plain, segments, tamed, tamed_bytes, undirected

FORMS = [
    # printed, without colours, with colours
    ("plain, with\ta tab\n", "plain, with\ta tab\n", None),
    ("\x1bcafter a reset", "after a reset", None),
    ("\x1b[?1049h\x1b[2J\x1b[Hthe other screen", "the other screen", None),
    ("\x1b]0;a title\x07a", "a", None),
    ("\x1b]8;;http://x\x1b\\a link\x1b]8;;\x1b\\", "a link", None),
    ("\x1bP+q544e\x1b\\a", "a", None),
    ("\x1b_Gi=1;AAAA\x1b\\a", "a", None),
    ("\x9b2Ja\x9d0;title\x9cb\x90q\x9cc\x85d", "abcd", None),
    ("ab\b\bc\x07\x0b\x0c\x00\x7f", "abc", None),
    ("\x1b[31mred\x1b[0m", "red", "\x1b[31mred\x1b[0m"),
    ("\x1b[31mred\nwhite", "red\nwhite", "\x1b[31mred\x1b[0m\nwhite"),
    ("\x1b[31m\x1b[2Jred\x1b[m", "red", "\x1b[31mred\x1b[m"),
    ("\x1b[38:2::1:2:3mrgb\x1b[0m", "rgb", "\x1b[38:2::1:2:3mrgb\x1b[0m"),
    ("\x1b[>4;2mkeyboard", "keyboard", None),
    ("\x1b(0box\x1b7\x1b=", "box", None),
    ("10%\r20%\rdone\r\n", "10% 20% done\n", None),
    ("\x1b\x1b[2J\x1b\x07[2Ja", "[2Ja", None),
    ("\x1b]0;no end\nnext", "\nnext", None),
    ("cut \x1b[3", "cut ", None),
    ("für 東京 🙂\u200b\n", "für 東京 🙂\u200b\n", None),
    ("is \u202enimda\u202c now", "is nimda now", None),
    ("\u061ca\u200eb\u200fc\u202ad\u202be\u202df\u2066g\u2067h\u2068i\u2069j", "abcdefghij", None),
    ("\x1b[31m\u2067red\x1b[0m", "red", "\x1b[31mred\x1b[0m"),
    ("\x1b\u202e[2Jcut", "[2Jcut", None),
    ("\x1b[\u202e31mcut", "31mcut", None),
    ("שלום 👩\u200d🔧", "שלום 👩\u200d🔧", None),
]


@pytest.mark.parametrize(("printed", "plain", "coloured"), FORMS)
def test_only_text_and_colours_are_left(printed: str, plain: str, coloured: str | None) -> None:
    assert tamed(printed) == plain
    assert tamed(printed, keeps_colours=True) == (plain if coloured is None else coloured)
    assert tamed_bytes(printed.encode()) == plain.encode()


def test_bytes_that_are_no_text_stay_but_for_those_that_an_8_bit_terminal_obeys() -> None:
    assert tamed_bytes(b"caf\xe9 \xff\x9b2J caf\xc3\xa9\n") == b"caf\xe9 \xff caf\xc3\xa9\n"
    assert is_plain(b"text\n\t")
    assert not is_plain(b"text\r\n")


DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
SCRAPS = st.sampled_from([*"\x1b[]Pm0;?\x9b\x9d\x07\\\n\ré\u202e\u2067", "2J", "\x1bc"])
HARMFUL = re.compile(rf"(?!\x1b\[[0-9;:]*m)[\x00-\x08\x0b-\x1f\x7f-\x9f{DIRECTIONS}]")


@given(st.lists(SCRAPS, max_size=40).map("".join))
def test_however_codes_are_put_together_none_is_left_and_none_is_made(printed: str) -> None:
    assert not re.search(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{DIRECTIONS}]", tamed(printed))
    coloured = tamed(printed, keeps_colours=True)
    assert not HARMFUL.search(coloured)
    assert tamed(coloured) == tamed(printed)
    assert all(line.endswith(("\x1b[0m", "\x1b[m")) for line in coloured.split("\n") if "\x1b" in line)


def test_every_character_that_unicode_has_for_a_direction_goes_and_no_other() -> None:
    """Those whose property Bidi_Control is yes (PropList.txt), by their names."""
    named = re.compile(r".*(?:LEFT-TO-RIGHT|RIGHT-TO-LEFT|POP DIRECTIONAL|ARABIC LETTER MARK|STRONG ISOLATE).*")
    every = map(chr, range(0x3000))
    found = {each for each in every if unicodedata.category(each) == "Cf" and named.match(unicodedata.name(each, ""))}
    assert found == set(DIRECTIONS)
    assert {each for each in map(chr, range(0x110000)) if not undirected(each)} == found


def test_what_is_written_over_with_carriage_returns_was_shown_once() -> None:
    assert segments("\x1b[32m10%\r\x1b[2K20%\r\r") == ["10%", "20%"]
    assert segments("\r\n") == ["\n"]
    assert segments("") == [""]
