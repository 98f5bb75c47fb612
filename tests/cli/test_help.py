"""The help of every command fits a terminal, and says what to do in plain words."""

import functools
import re
from argparse import ArgumentParser

import pytest

from supervisor.cli.commands import LINES
from supervisor.cli.parser import full, overview

BANNED = re.compile(
    r"can not\b|\bshall\b|for ever|\bcomes to\b|that is meant|who has it|our mistake|too late|\ba line\b(?! of)"
    r"|in the place of|are over\b|leads? to\b|so long\b",
)


@functools.cache
def parsers() -> dict[str, ArgumentParser]:
    """What reads each command, by its name."""
    (commands,) = (action for action in full()._actions if action.dest == "command")
    assert isinstance(commands.choices, dict)
    return commands.choices


def texts() -> dict[str, str]:
    """The help of each command by its name."""
    return {name: parser.format_help() for name, parser in parsers().items()}


def test_a_line_about_a_command_is_short_and_begins_with_what_it_does() -> None:
    for name, line in LINES.items():
        assert len(line) <= 60, name
        assert re.match(r"[a-z]+ ", line), name
        assert not line.endswith("."), name


@pytest.mark.parametrize("name", ["portsup", *LINES])
def test_the_help_fits_80_columns_and_has_no_word_of_the_old_ones(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = overview() if name == "portsup" else parsers()[name].format_help()
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert BANNED.findall(text) == []
