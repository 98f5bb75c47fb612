"""Files of variables: `.env` beside the stack, and those of a service."""

from pathlib import Path

import pytest

from supervisor.config.envfile import Fault, Variable, parse

from .conftest import Loading, Mistakes


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("  A = 1  ", "1"),
        ("export A=1", "1"),
        ("A=", ""),
        ("A=a b c", "a b c"),
        ("A=a#b", "a#b"),
        ("A=a # b", "a"),
        ("A=# b", ""),
        ("A=x=y", "x=y"),
        ("A='a # $b \\n'", "a # $b \\n"),
        ('A="a # b"  # c', "a # b"),
        (r'A="a\n\"b\" \\ \$x \q"', 'a\n"b" \\ $x \\q'),
        ('A="one\ntwo"', "one\ntwo"),
        ("A='one\r\ntwo'\r", "one\ntwo"),
        ('A=it"s', 'it"s'),
    ],
)
def test_a_value_is_read(line: str, value: str) -> None:
    assert parse(f"\n# first\n{line}\nLAST=x\n") == (
        (Variable("A", value, 3), Variable("LAST", "x", 4 + line.count("\n"))),
        (),
    )


def test_what_makes_no_sense_is_told_by_line_and_the_rest_is_read() -> None:
    text = 'nonsense\n1A=2\nA=\'open\nB=2\nC="x" y\nD=4'
    assert parse(text) == (
        (Variable("B", "2", 4), Variable("D", "4", 6)),
        (
            Fault(1, "expected KEY=VALUE"),
            Fault(2, "the name before `=` is not that of a variable"),
            Fault(3, "the quotes are not closed"),
            Fault(5, "there is text after the closing quotes"),
        ),
    )


def test_hostile_quotes_take_no_time() -> None:
    assert len(parse('A="' + '\\"' * 300_000)[1]) == 1
    assert len(parse("A='\n" * 100_001)[1]) > 0


def test_the_env_file_beside_the_stack_fills_variables_and_the_environment_wins(
    loading: Loading, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\n")
    assert loading("services: {a: {command: '${A} ${B}'}}", {"A": "outside"}).services["a"].command == (
        "outside",
        "file",
    )


def test_it_is_not_given_to_the_services(loading: Loading, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\n")
    assert loading("services: {a: {command: a, environment: {B: '${A}'}}}").services["a"].environment == {"B": "file"}


def test_env_files_are_merged_in_order_and_environment_wins(loading: Loading, tmp_path: Path) -> None:
    (tmp_path / "one.env").write_text("A=1\nB=1\nC=1\n")
    (tmp_path / "two.env").write_text("B=2\nC=2\n")
    text = """\
services:
  a: {command: a, env_file: [one.env, {path: two.env}, {path: none.env, required: false}], environment: {C: 3}}
  b: {command: b, env_file: one.env}
"""
    stack = loading(text)
    assert stack.services["a"].environment == {"A": "1", "B": "2", "C": "3"}
    assert stack.services["b"].environment == {"A": "1", "B": "1", "C": "1"}


def test_a_missing_env_file_is_told_where_it_is_named(mistakes: Mistakes) -> None:
    (problem,) = mistakes("services:\n  a:\n    command: a\n    env_file: [gone.env]\n")
    assert problem.startswith("4:16 services.a.env_file[0]: there is no file `")
    assert problem.endswith("(create it, or write `{path: gone.env, required: false}`)")


def test_several_env_files_in_one_text_are_told_apart(mistakes: Mistakes) -> None:
    (problem,) = mistakes("services:\n  a:\n    command: a\n    env_file: a.env, b.env\n")
    assert problem.endswith("(for several files write `[a.env, b.env]`)")


def test_a_mistake_in_an_env_file_has_that_file_s_place_and_not_its_content(mistakes: Mistakes, tmp_path: Path) -> None:
    (tmp_path / "bad.env").write_text("OK=1\nmy secret is xyzzy\n")
    problems = mistakes("services: {a: {command: a, env_file: bad.env}, b: {command: b, env_file: bad.env}}")
    assert problems == ["2:1 expected KEY=VALUE"]
    (tmp_path / "bad.env").write_bytes(b"A=\xff\n")
    assert mistakes("services: {a: {command: a, env_file: bad.env}}") == [
        "1:3 byte 0xff is not UTF-8 (save the file as UTF-8)"
    ]


def test_a_folder_as_env_file_is_told(mistakes: Mistakes, tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert mistakes("services: {a: {command: a, env_file: .env}}") == ["0:0 is a directory, not a file (name a file)"]
