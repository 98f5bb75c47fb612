import pytest

from supervisor.errors import UsageError
from supervisor.logs.line import Line
from supervisor.logs.query import Sieve, make_query, matching

EVENT = '2026-03-01 INFO {"user": "ada", "http": {"status": 500, "ok": false}, "a.b": null}'


@pytest.mark.parametrize(
    ("field", "is_there"),
    [
        ("user", True), ("user=ada", True), ("user=bob", False), ("http.status=500", True), ("http.status", True),
        ("http.ok=false", True), ("http.none", False), ("a.b", True), ("a.b=null", True), ("user.name", False),
        ("status", False), ("user=a=b", False),
    ],
)  # fmt: skip
def test_a_field_of_json_may_be_deep_and_have_a_value(field: str, is_there: bool) -> None:
    assert make_query(fields=(field,)).matches(EVENT) is is_there


@pytest.mark.parametrize("line", ["", "user", '{"user"', '["user"]', '{"user": }', "{" * 100_000 + '"user"'])
def test_what_is_no_json_has_no_fields(line: str) -> None:
    assert not make_query(fields=("user",)).matches(line)


def test_a_key_may_be_escaped() -> None:
    assert make_query(fields=("user",)).matches(r'{"\u0075ser": 1}')


def test_all_that_is_asked_for_must_be_true() -> None:
    query = make_query("ada", level="info", fields=("http",))
    assert query.matches(EVENT)
    assert not query.matches(EVENT.replace("ada", "bob"))
    assert not query.matches(EVENT.replace("INFO", "DEBUG"))
    assert make_query("ADA", ignore_case=True).matches(EVENT)
    assert not make_query("ADA").matches(EVENT)
    assert not make_query(level="warning").matches("a line without a level")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"grep": "a("}, "`a(` is no regular expression: missing ), unterminated subpattern"),
        ({"level": "loud"}, "there is no level `loud`"),
        ({"fields": ("a..b",)}, "`a..b` names no field"),
        ({"fields": ("",)}, "`` names no field"),
    ],
)
def test_what_cannot_be_looked_for_is_said(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError) as error:
        make_query(**arguments)  # type: ignore[arg-type]
    assert words in error.value.why


@pytest.mark.filterwarnings("error")
def test_no_warning_of_python_is_printed_about_an_expression() -> None:
    assert make_query("[[a]").matches("[")


def test_an_expression_that_takes_too_long_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        matching(make_query("(a+)+$"), ["ab", "a" * 50 + "!"])
    assert "`(a+)+$` takes too long on one of the lines" in error.value.why


def test_what_comes_is_sieved_with_the_lines_around_it() -> None:
    lines = [
        Line(float(number), "web", "stdout", word)
        for number, word in enumerate(["a", "b", "\x1b[1mX\x1b[0m", "c", "d", "e", "f", "X"])
    ]
    sieve = Sieve(make_query("^X$"), 1)
    groups = [*sieve.feed(lines[:3]), *sieve.feed(lines[3:])]
    assert [[found.line.message for found in group.lines] for group in groups] == [
        ["b", "\x1b[1mX\x1b[0m"], ["c"], ["f", "X"],
    ]  # fmt: skip
    assert [group.goes_on for group in groups] == [False, True, False]
    assert [found.is_match for found in groups[0].lines] == [False, True]
