"""What users of other supervisors ask for, in docs/explanation/peers.md: a test that exists, or a reason, for each."""

import ast
import re

import pytest

from tests.support.source import ROOT, parsed

PAGE = (ROOT / "docs" / "explanation" / "peers.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if re.match(r"\| \d+ \|", line)
]
NODE = re.compile(r"`([^`]+\.py)::(\w+)`")


def test_there_are_forty_demands_in_order() -> None:
    assert [row[0] for row in ROWS] == [str(number) for number in range(1, 41)]
    assert all(len(row) == 4 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_demand_is_tried_or_has_a_reason(row: list[str]) -> None:
    _, demand, threads, answer = row
    assert demand.endswith(".")
    assert all(re.fullmatch(r"[\w./-]+#\d+", thread) for thread in threads.split(", "))
    tests = NODE.findall(answer)
    reason = NODE.sub("", answer).strip(" ,.")
    assert tests or reason
    assert answer.count("::") == len(tests)
    for file, name in tests:
        tree = parsed(ROOT / file)
        assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}, f"{file} has no {name}"
