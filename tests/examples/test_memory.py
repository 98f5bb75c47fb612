"""What is left of a conversation that is too long for the model."""

import pytest

from examples.ollama_mcp.memory import AROUND, BEFORE, kept, surely_fits


def said(*roles: str) -> list[dict[str, str]]:
    return [{"role": role, "content": f"{number}"} for number, role in enumerate(roles)]


def left(messages: list[dict[str, str]], tokens: list[int], room: int) -> str:
    return "".join(message["content"] for message in kept(messages, tokens, BEFORE + room))


TALK = ["system", "user", "assistant", "user", "assistant", "user"]
EACH = 10 + AROUND


@pytest.mark.parametrize(
    ("places", "what"),
    [(6, "012345"), (5, "0345"), (4, "0345"), (3, "05"), (2, "05"), (1, "05")],
)
def test_the_oldest_go_and_what_is_left_begins_with_a_question(places: int, what: str) -> None:
    assert left(said(*TALK), [10] * 6, places * EACH) == what


def test_one_token_too_many_is_too_many() -> None:
    assert left(said(*TALK), [10] * 6, 6 * EACH - 1) == "0345"


def test_the_last_message_stays_however_long_it_is() -> None:
    assert left(said("user", "assistant", "user"), [10, 10, 9000], 100) == "2"
    assert left(said("user"), [9000], 100) == "0"


def test_two_questions_in_a_row_go_one_by_one() -> None:
    assert left(said("user", "user", "user"), [10] * 3, 2 * EACH) == "12"


def test_a_conversation_that_begins_with_an_answer_and_fits_is_left_alone() -> None:
    assert left(said("assistant", "user"), [10] * 2, 2 * EACH) == "01"


def test_bytes_bound_tokens() -> None:
    one = [{"role": "user", "content": "é" * 10}]
    assert surely_fits(one, BEFORE + AROUND + 20)
    assert not surely_fits(one, BEFORE + AROUND + 19)
