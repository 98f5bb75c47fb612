"""Text that is being written, cut into what can be spoken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.conversational.sentences import MOST, Sentences, speakable


def cut(text: str, size: int = 3) -> list[str]:
    sentences = Sentences()
    complete = [part for at in range(0, len(text), size) for part in sentences.add(text[at : at + size])]
    return complete + sentences.rest()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Hello there. How are you?", ["Hello there.", "How are you?"]),
        ("Yes. That is so. ", ["Yes. That is so."]),
        ("It costs 3.50 euros.", ["It costs 3.50 euros."]),
        ("Ask Dr. Smith or J. Doe, e.g. today. Now.", ["Ask Dr. Smith or J. Doe, e.g. today.", "Now."]),
        ('"Well, come in!" she said.', ['"Well, come in!"', "she said."]),
        ("Title\n\nText", ["Title", "Text"]),
        ("1. Take the first one.\n2. Go.", ["1. Take the first one.", "2. Go."]),
        ("no end", ["no end"]),
        ("", []),
        (" \n \n", []),
    ],
)
def test_it_is_cut_where_a_sentence_ends(text: str, parts: list[str]) -> None:
    assert cut(text) == parts


def test_the_first_sentence_does_not_wait_for_the_second() -> None:
    sentences = Sentences()
    assert sentences.add("This is a sentence.") == []  # or the point of a number
    assert sentences.add(" And") == ["This is a sentence."]


def test_a_sentence_without_end_is_cut_at_a_comma_or_a_space_or_anywhere() -> None:
    assert cut("word " * 30 + "comma, " + "word " * 30)[0].endswith("comma,")
    assert cut("word " * 100)[0].endswith("word")
    assert [len(part) for part in cut("x" * 500)] == [MOST, MOST, 500 - 2 * MOST]


@given(st.text(alphabet="ab .,!?\n1", max_size=800), st.integers(1, 50))
def test_nothing_is_lost_and_nothing_is_too_long(text: str, size: int) -> None:
    parts = cut(text, size)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(0 < len(part) <= MOST for part in parts)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("**Bold** and `code` and _this_", "Bold and code and this"),
        ("- one item", "one item"),
        ("# A title", "A title"),
        ("See [the page](https://example.com/a) now", "See the page now"),
        ("See https://example.com/a?b=c now", "See a link now"),
        ("half \ud800 a character", "half a character"),
        ("...", ""),
        ("\U0001f600", ""),
    ],
)
def test_what_only_the_eye_reads_is_not_spoken(text: str, spoken: str) -> None:
    assert speakable(text) == spoken
