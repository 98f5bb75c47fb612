"""What kind of task Sandra takes a message for."""

from pathlib import Path

import pytest

from examples.sandra_ia import classify
from examples.service import SettingError

PATH = Path(classify.__file__).with_name("routes.yaml")


@pytest.fixture(scope="module")
def table() -> classify.Table:
    return classify.load(PATH)


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("Escribe una función en Python que ordene una lista", "code"),
        ("Please debug this function", "code"),
        ("¿Por qué el cielo es azul? Razona paso a paso", "reasoning"),
        ("Why is the sky blue?", "reasoning"),
        ("¿Qué hay en esta imagen?", "vision"),
        ("Transcribe this recording", "audio"),
        ("Traduce esto al alemán", "translation"),
        ("What is the capital of Spain", "general"),
        ("", "general"),
    ],
)
def test_a_message_is_classified_in_both_languages(table: classify.Table, text: str, task: str) -> None:
    decision = table.decide(text)
    assert decision.task == task
    assert not decision.answer
    assert {candidate.backend for candidate in decision.candidates} == {"groq-api", "ollama-mcp"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hola", "Soy Sandra"),
        ("¿Quién eres?", "Soy Sandra"),
        ("¡Buenos días, Sandra!", "Soy Sandra"),
        ("hello", "I am Sandra"),
        ("Who are you?", "I am Sandra"),
    ],
)
def test_a_greeting_is_answered_without_a_model(table: classify.Table, text: str, words: str) -> None:
    decision = table.decide(text)
    assert (decision.task, decision.candidates) == ("identity", ())
    assert decision.answer.startswith(words)


def test_a_question_that_begins_with_a_greeting_is_a_question(table: classify.Table) -> None:
    assert table.decide("Hola, escribe una función en Python").task == "code"


def test_a_long_message_is_classified_at_once(table: classify.Table) -> None:
    assert table.decide("a" * 1_000_000).task == "general"


@pytest.mark.parametrize(
    "text", ["", "[]", "tasks: {}", "a: [", "identity: {patterns: ['('], answers: {es: a, en: b}}\ntasks: {}", "\x00"]
)
def test_a_table_that_is_wrong_is_a_setting_that_is_wrong(tmp_path: Path, text: str) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(text)
    with pytest.raises(SettingError):
        classify.load(path)


def test_a_table_that_is_not_there_is_a_setting_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(SettingError):
        classify.load(tmp_path)
