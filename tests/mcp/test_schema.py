"""What clients are told of the tools, and what they may put into a call."""

import json
from typing import Any

import pytest

from supervisor.mcp.prompts import PROMPTS, filled
from supervisor.mcp.results import Refused
from supervisor.mcp.schema import OUTPUT, TOOLS, complaint_of

BY_NAME = {tool.name: tool for tool in TOOLS}
CHARACTERS_OF_A_TOKEN = 3.3  # of JSON as dense as this, cautiously; prose has more


def test_all_tools_together_cost_a_model_less_than_1500_tokens() -> None:
    told = [
        {
            "name": tool.name, "title": tool.title, "description": tool.description, "inputSchema": tool.input_schema,
            "outputSchema": OUTPUT, "annotations": tool.annotations,
        }
        for tool in TOOLS
    ]  # fmt: skip
    assert len(json.dumps(told, separators=(",", ":"))) / CHARACTERS_OF_A_TOKEN < 1500


def test_every_tool_says_beforehand_whether_it_changes_something() -> None:
    assert {name for name, tool in BY_NAME.items() if tool.annotations == {"readOnlyHint": True}} == {
        "status", "ports", "logs", "why", "events", "wait",
    }  # fmt: skip
    assert {name for name, tool in BY_NAME.items() if tool.annotations.get("destructiveHint")} == {"stop", "down"}


@pytest.mark.parametrize(
    ("tool", "given", "complaint"),
    [
        ("status", {}, ""),
        ("status", {"services": ["web"]}, ""),
        ("status", {"services": "web"}, "a list of names"),
        ("status", {"services": [1]}, "a list of names"),
        ("status", {"all": True}, "`status` takes no `all`, but services"),
        ("down", {"now": True}, "`down` takes no `now`, but no arguments"),
        ("why", {}, "`why` needs `service`"),
        ("why", {"service": None}, "a string"),
        ("wait", {"timeout": 51}, "a whole number from 1 to 50"),
        ("wait", {"timeout": True}, "a whole number from 1 to 50"),
        ("wait", {"timeout": 1.5}, "a whole number from 1 to 50"),
        ("wait", {"state": "up"}, "one of ready, listening, healthy, exited"),
        ("reload", {"dry_run": 0}, "a boolean"),
        ("logs", {"tail": 50, "grep": "x", "since_restart": True}, ""),
    ],
)
def test_arguments_are_looked_at_before_anything_is_done(tool: str, given: dict[str, Any], complaint: str) -> None:
    said = complaint_of(BY_NAME[tool], given)
    assert complaint in said
    assert bool(said) is bool(complaint)


def test_prompts_are_filled_and_name_tools_that_there_are() -> None:
    for prompt in PROMPTS:
        _, text = filled(prompt.name, dict.fromkeys(prompt.arguments, "8100"))
        assert "8100" in text
        called = {word.split("(")[0].strip("`") for word in text.split() if word.startswith("`") and "(" in word}
        assert called <= BY_NAME.keys()
    with pytest.raises(Refused, match="needs `service`"):
        filled("diagnose-service", {})
    with pytest.raises(Refused, match="no prompt"):
        filled("hack", {})
