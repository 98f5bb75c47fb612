"""Command lines as they are typed: what the parser of each command makes of them."""

import argparse
import io
import re
import shlex
from collections.abc import Iterator

import pytest

from supervisor.cli import parser
from supervisor.cli.arguments import ALL, failure_count, line_count, ports
from supervisor.cli.commands import LINES, prune
from supervisor.errors import ExitCode
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("text", "value"), [("10", 10.0), ("0", 0.0), ("0.5", 0.5), ("10s", 10.0), ("2m", 120.0), ("1h", 3600.0)]
)
def test_a_duration_is_seconds_or_has_a_unit(text: str, value: float) -> None:
    assert parser.seconds(text) == value


def test_no_number_of_columns_is_too_much_for_the_help(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in ("0", "1", "9" * 5000, "wide"):
        monkeypatch.setenv("COLUMNS", columns)
        assert run("ls", "--help").code == 0


def test_options_of_lease_stand_before_the_ports_or_behind_them() -> None:
    for words in (["--name", "e2e", "8100,8110"], ["8100,8110", "--name", "e2e"]):
        args = parser.build("lease").parse_args([*words, "--", "make", "--name", "test"])
        assert (args.ports, args.name, args.program[-3:]) == ([8100, 8110], "e2e", ["make", "--name", "test"])


def test_every_example_is_a_command_line_that_is_taken() -> None:
    for command in LINES:
        for text in parser.build(command).epilog.splitlines():  # type: ignore[union-attr]
            if found := re.match(r" +(portsup .+?)(?:$|\s{2,}|\s[|>]\s)", text):
                options, word, rest = parser.split(shlex.split(found[1])[1:])
                parser.build(parser.resolve(word)).parse_args([*options, *rest])


def test_a_start_may_take_a_duration_but_not_no_time(run: Run) -> None:
    assert parser.build("up").parse_args(["--wait-timeout", "2m"]).wait_timeout == 120.0
    for never in ("0", "nan", "inf", "soon"):
        assert run("up", "--dry-run", "--wait-timeout", never).code == ExitCode.USAGE


VERBS = {
    "accept", "add", "allow", "ask", "choose", "colour", "convert", "do", "explain", "follow", "give", "ignore",
    "kill", "leave", "let", "list", "listen", "look", "move", "overwrite", "print", "read", "replace", "return", "run",
    "send", "serve", "set", "show", "start", "stop", "use", "wait", "write",
}  # fmt: skip


def options_of(command: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The options of a command, and of what comes below it."""
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from options_of(below)
        elif action.option_strings and action.help != argparse.SUPPRESS:
            yield action


@pytest.mark.parametrize("command", LINES)
def test_what_an_option_does_is_said_in_a_line_that_begins_with_a_verb(command: str) -> None:
    wrong = []
    for option in options_of(parser.build(command)):
        words = (option.help or "").removeprefix("also ")
        if len(option.help or "") > 60 or words.split(" ")[0] not in VERBS:
            wrong.append(f"{option.option_strings[-1]}: {option.help}")
    ours = "--all: accepted for Compose compatibility; has no effect"
    assert [each for each in wrong if each != ours] == []


def test_a_long_number_is_not_another_one(run: Run) -> None:
    """Such as its first digits."""
    assert "`12345678901` is not an instance number" in run("--instance", "12345678901", "status").err
    assert ports("0000008100") == [8100]
    with pytest.raises(argparse.ArgumentTypeError, match="the lower one first"):
        ports("810000000000")
    assert "is not SERVICE=N, with a number from 1 to 256" in run("scale", "api=9999999999").err
    assert "is not SERVICE=N, with a number from 1 to 256" in run("scale", "api=257").err
    assert (line_count("9" * 30), line_count("0" * 30 + "7"), failure_count("9" * 5000)) == (ALL, 7, ALL)
    with pytest.raises(argparse.ArgumentTypeError, match="is not a duration"):
        parser.seconds("99999999999")


@pytest.mark.parametrize("text", ["0", "000", "-1", "1.5", "", "few"])
def test_of_no_failure_there_is_nothing_to_explain(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a number of failures: write 1"):
        failure_count(text)


def test_a_service_is_scaled_to_one_number(run: Run) -> None:
    assert "`api` is there twice" in run("scale", "api=2", "web=1", "api=3").err


def test_an_answer_that_is_no_text_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = io.TextIOWrapper(io.BytesIO(b"\xff\n"), encoding="utf-8")
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", typed)
    assert not prune._agrees(1, 0, 0)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (["ls", ""], "unrecognized argument: an empty one"),
        (["ls", "\n"], "unrecognized arguments: "),
        (["status", "--file=--"], "argument -f/--file: expected one argument"),
        (["-f", "--", "status"], "argument -f/--file: expected one argument"),
        (["--instance", "--", "status"], "argument --instance: expected one argument"),
    ],
    ids=repr,
)
def test_an_argument_that_is_nothing_is_a_mistake_of_the_command_line(run: Run, line: list[str], why: str) -> None:
    ran = run(*line)
    assert (ran.code, f"cannot understand the command line: {why}" in ran.err) == (ExitCode.USAGE, True)
