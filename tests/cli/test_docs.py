"""The reference tells of every command, every option and every exit code."""

import argparse
import re
from pathlib import Path

import pytest

from supervisor.cli import parser
from supervisor.cli.commands import ALIASES, LINES, ON_CLUSTERS
from supervisor.cli.rows import KEYS
from supervisor.errors import ExitCode

DOCS = Path(__file__).parents[2] / "docs" / "reference"
ON_CLUSTERS_ONLY = {"--on"}
EVERYWHERE = {*ON_CLUSTERS_ONLY, "-h", "--help", "-f", "--file", "--instance", "--color", "-V", "--version"}


@pytest.fixture(scope="module")
def text() -> str:
    return (DOCS / "cli.md").read_text(encoding="utf-8")


def sections(text: str) -> dict[str, str]:
    """The text about each command; a heading may name several."""
    found = {}
    for heading, body in re.findall(r"^## (.*)\n((?:(?!## ).*\n?)*)", text, flags=re.MULTILINE):
        for name in re.findall(r"`([a-z]+)[^`]*`", heading):
            found[name] = heading + "\n" + body
    return found


def options(command: argparse.ArgumentParser) -> set[str]:
    found = {option for action in command._actions for option in action.option_strings}
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                found |= options(child)
    return found


def test_every_command_has_its_section(text: str) -> None:
    assert set(sections(text)) == {*LINES, *ALIASES}


@pytest.mark.parametrize("command", LINES)
def test_every_option_is_in_the_section_of_its_command(command: str, text: str) -> None:
    section = sections(text)[command]
    own = options(parser.build(command)) - EVERYWHERE
    assert {option for option in own if not re.search(rf"`{option}[ `]", section)} == set()


@pytest.mark.parametrize("command", LINES)
def test_no_section_has_an_option_that_does_not_exist(command: str, text: str) -> None:
    told = set(re.findall(r"`(--?[a-z][a-z-]*)", sections(text)[command]))
    shared = {"start", "stop", "restart"}
    own = {option for each in (shared if command in shared else {command}) for option in options(parser.build(each))}
    assert told - own - EVERYWHERE == set()


def test_the_options_of_every_command_are_told_on_top(text: str) -> None:
    top = text.split("## Which instance")[0]
    assert {option for option in EVERYWHERE if f"`{option}" not in top} == set()


def test_the_commands_that_know_clusters_are_told(text: str) -> None:
    told = text.partition("| `--on ADDRESS` |")[2].partition("\n")[0]
    assert set(re.findall(r"`([a-z]+)`", told)) - {"auto"} == ON_CLUSTERS


def test_every_key_of_the_status_is_told(text: str) -> None:
    assert [key for key in KEYS if f"`{key}`" not in sections(text)["status"]] == []


def test_every_exit_code_is_told() -> None:
    table = (DOCS / "exit-codes.md").read_text(encoding="utf-8")
    told = [int(code) for code in re.findall(r"^\| (\d+) \|", table, flags=re.MULTILINE)]
    assert told == sorted(code.value for code in ExitCode)
