"""What kind of task Sandra takes a message for."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from examples.sandra_ia import classify
from examples.service import SettingError

PATH = Path(classify.__file__).with_name("routes.yaml")
TABLE = classify.load(PATH)


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
def test_a_message_is_classified_in_both_languages(text: str, task: str) -> None:
    decision = TABLE.decide(text)
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
        ("hola, ¿quién eres?", "Soy Sandra"),
        ("Hi there!", "I am Sandra"),
        ("What\u2019s your name?", "I am Sandra"),
    ],
)
def test_a_greeting_is_answered_without_a_model(text: str, words: str) -> None:
    decision = TABLE.decide(text)
    assert (decision.task, decision.candidates) == ("identity", ())
    assert decision.answer.startswith(words)


def test_a_question_that_begins_with_a_greeting_is_a_question() -> None:
    assert TABLE.decide("Hola, escribe una función en Python").task == "code"


def test_a_long_message_is_classified_at_once() -> None:
    assert TABLE.decide("a" * 1_000_000).task == "general"


IDENTITY = "identity: {es: {patterns: [hola], answer: soy}}\nfuse: merge\n"
GENERAL = "general: {patterns: [], models: [{groq: m}]}"


@given(st.text())
def test_any_text_has_a_task_and_space_and_case_around_it_change_nothing(text: str) -> None:
    decision = TABLE.decide(text)
    assert decision.task in (*TABLE.tasks, "identity")
    assert bool(decision.answer) == (decision.task == "identity") == (not decision.candidates)
    assert (decision.matches == 0) == (decision.task == "general")
    assert TABLE.decide(f"\n {text} \t") == decision


@given(st.sampled_from(["hola", "hello", "quién eres", "who are you"]), st.sampled_from("¡!¿?.,;: \n"))
def test_marks_around_a_greeting_change_nothing(greeting: str, mark: str) -> None:
    assert TABLE.decide(f"{mark}{greeting.upper()}{mark}") == TABLE.decide(greeting)
    assert TABLE.decide(f"{greeting} {mark} python").task == "code"


def test_a_task_may_say_how_its_models_are_asked(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    why = "why: {patterns: [why], models: [{groq: a}, {ollama: }], mode: fuse}"
    path.write_text(f"{IDENTITY}tasks: {{{why}, {GENERAL}}}")
    table = classify.load(path)
    assert table.decide("why?").mode == "fuse"
    assert table.decide("why?").candidates == (
        classify.Candidate("groq-api", "a"),
        classify.Candidate("ollama-mcp", ""),
    )
    assert table.decide("what?").mode == "single"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it must be a mapping"),
        ("[]", "it must be a mapping"),
        ("tasks: {}", "it has no `identity`"),
        ("a: [", "cannot read"),
        ("\x00", "cannot read"),
        (f"{IDENTITY}tasks: []", "`tasks` must be a mapping"),
        (f"{IDENTITY}tasks: {{}}", "`tasks` has no `general`"),
        (f"{IDENTITY}tasks: {{general: {{patterns: ['('], models: [{{groq: m}}]}}}}", "no regular expression"),
        (f"{IDENTITY}tasks: {{general: {{patterns: [], models: []}}}}", "`models` of `tasks.general` is empty"),
        (f"{IDENTITY}tasks: {{general: {{patterns: [], models: [{{openai: m}}]}}}}", "must be {groq: NAME}"),
        (f"{IDENTITY}tasks: {{general: {{patterns: [], models: [m]}}}}", "must be {groq: NAME}"),
        (
            f"{IDENTITY}tasks: {{general: {{patterns: [], models: [{{groq: m}}], mode: all}}}}",
            "single, compare or fuse",
        ),
        (f"{IDENTITY}tasks: {{general: {{patterns: a, models: [{{groq: m}}]}}}}", "must be a list"),
        ("identity: {es: {patterns: [a]}}\nfuse: a\ntasks: {}", "`identity.es` has no `answer`"),
    ],
)
def test_a_table_that_is_wrong_is_a_setting_that_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(text)
    with pytest.raises(SettingError) as error:
        classify.load(path)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_table_that_is_not_there_is_a_setting_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(SettingError):
        classify.load(tmp_path)


def test_the_questions_of_the_benchmark_are_all_routed_right() -> None:
    asked = yaml.safe_load((PATH.parents[2] / "benchmarks" / "quality.yaml").read_text(encoding="utf-8"))["routing"]
    assert len(asked) == 60
    assert [one["ask"] for one in asked if TABLE.decide(one["ask"]).task != one["task"]] == []
