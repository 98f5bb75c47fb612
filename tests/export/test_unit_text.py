"""What is written for systemd is read back as it was meant."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.convert import unit_file
from supervisor.errors import PortsupError
from supervisor.export.unit_text import command, plain, word
from supervisor.export.veil import MARK
from tests.support.budget import tries

TEXTS = st.text(string.printable.replace("\r", "").replace("\x0b", "").replace("\x0c", "") + "äβ…", max_size=30)


def without_specifiers(text: str) -> str:
    return text.replace("%%", "%")


@tries(10, 3000)
@given(text=TEXTS)
def test_a_word_is_one_word(text: str) -> None:
    assert [without_specifiers(each) for each in unit_file.split(word(text))] == [text]
    assert "\n" not in word(text)


@tries(10, 3000)
@given(words=st.lists(TEXTS, max_size=4))
def test_a_command_keeps_its_words(words: list[str]) -> None:
    read = unit_file.command(command(["/bin/a", *words]), {}, without_specifiers)
    assert (read.words, read.unknown) == (["/bin/a", *words], [])


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("/srv/shop", "/srv/shop"), ("/srv/my shop", '"/srv/my shop"'), ("100%", "100%%"), ("a;b", '"a;b"'),
        ("", '""'), ("a\nb", '"a\\nb"'), ("$HOME", '"$HOME"'), (r"a\b", r'"a\\b"'),
    ],
)  # fmt: skip
def test_words(text: str, written: str) -> None:
    assert word(text) == written


def test_a_variable_is_written_as_one_only_for_a_secret() -> None:
    assert command(["/bin/a", "$x", f"--key={MARK}KEY{MARK} %"]) == '/bin/a "$$x" "--key=${KEY} %%"'


@pytest.mark.parametrize("text", ["a\x1bb", "a\x00", "\udc80"])
def test_what_a_unit_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(PortsupError, match="characters that it cannot hold"):
        word(text)


def test_a_path_with_a_line_break_is_refused() -> None:
    with pytest.raises(PortsupError, match="characters that it cannot hold"):
        plain("/a\nb")
