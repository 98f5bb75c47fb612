"""What portsup asks of Windows, each tried once under wine by `inside.py`; what wine answers wrongly is not asked."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.windows.wine import Wine, seen

pytestmark = pytest.mark.live

EXPECTED: dict[str, Any] = {
    "has_jobs": [True, False, "it needs Linux"],
    "exit_codes": [[True, 0], [True, 7], [True, 255]],
    "a_tree_ends_at_once": [True, 2, -9, True],
    "a_child_of_a_child_outlives_it_in_the_job": [True, 1, True],
    "all_ends_with_us": [True, True],
    "a_signal_to_who_is_gone": ["gone", "gone", "gone"],
    "a_signal_that_means_nothing_here": "refused",
    "identity": [True, False, True],
    "environment_of_a_process": "yes",
    "a_lock_keeps_others_out": [True, False, True, True],
    "a_lock_is_not_lost": [True, True],
    "covers_hold_a_port": [10013, 10013, 10013, 10013],
    "clients_of_a_cover_are_refused": "refused",
    "who_listens": [0, True, True, []],
    "a_pool_of_the_library": True,
    "a_log_is_rotated_while_it_is_read": ["one\n", "two\n", "one\n"],
    "appending_goes_on_at_the_end": ["irs", "first\nsecond\n"],
    "a_file_is_replaced_as_a_whole": ["two", ["x.json"]],
    "what_is_opened_is_a_file": ["refused: it is a directory, not a file", "missing", "exists"],
    "a_program_is_found": ["python.exe", "python.exe", "tool.bat", "SpawnError"],
    "where_things_are": [r"L\portsup\run", r"L\portsup\state"],
    "output_of_a_program": [True, 300000],
    "a_slow_terminal": [True, True, True],
    "an_answer_of_a_thread": [0, {"a": [1, 2]}],
    "a_control_pipe": ["hello\n", 200001, "timeout", "", True],
    "nobody_listens_on_a_control_pipe": "nobody",
    "the_access_list_names_one_user": [True, True, 1],
    "a_signal_wakes_the_loop": "came",
    "a_limit_or_a_user_is_refused": [True, True, "SpawnError", "SpawnError"],
}


@pytest.fixture(scope="module")
def facts(wine: Wine) -> dict[str, Any]:
    done = wine.python(seen(Path(__file__).with_name("inside.py")))
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", EXPECTED)
def test_it_is_as_portsup_needs_it(facts: dict[str, Any], name: str) -> None:
    assert facts[name] == EXPECTED[name], facts[name]


def test_all_that_was_tried_is_looked_at(facts: dict[str, Any]) -> None:
    assert facts.keys() == EXPECTED.keys()
