"""What a message names helps where portsup is installed without its repository."""

import ast
import re

import pytest

from supervisor.words import refusals
from tests.support.source import PACKAGE, docstrings, nodes, source_files

_OF_REPOSITORY = re.compile(r"\b(?:docs|tests|examples|benchmarks|\.ci)/\w|\b(?:README|CHANGELOG|SECURITY|Makefile)\b")
_ELSEWHERE = (  # what names files of others, and what makes pages of the documentation
    "convert", "export/reference.py", "config/reference.py", "config/keys", "control/status.py",
)  # fmt: skip


def test_no_message_leads_to_a_file_of_the_repository() -> None:
    found = []
    for path in source_files("supervisor"):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(_ELSEWHERE):
            unseen = docstrings(path)
            texts = (str(each.value) for each in nodes(path, ast.Constant) if each not in unseen)
            found += [(name, text) for text in texts if _OF_REPOSITORY.search(text)]
    assert found == []


@pytest.mark.parametrize(
    ("why_no_handoff", "is_off", "hint"),
    [
        ("the kernel is older than 5.9", False, "`portsup doctor` says what the handoff needs here"),
        ("", True, "leave out `handoff: off` and `--handoff off`"),
        ("", False, "`portsup why web` shows what it did"),
    ],
)
def test_a_rolling_restart_that_cannot_be_says_what_would_let_it(why_no_handoff: str, is_off: bool, hint: str) -> None:
    error = refusals.not_rolled_without_socket("web", why_no_handoff, is_off)
    assert error.hint == f"`portsup restart web`; to restart it without a gap: {hint}"
