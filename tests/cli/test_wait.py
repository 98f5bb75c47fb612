"""What `wait` waits for, and what it does not."""

from typing import Any

import pytest

from supervisor.cli.wait import exit_code, hopeless, is_there

ROW = {
    "name": "api", "state": "running", "reached": "ready", "health": "none", "checks_health": False, "result": None,
    "pid": 7, "exit_code": None, "reason": "",
}  # fmt: skip


def row(**facts: Any) -> dict[str, Any]:
    return {**ROW, **facts}


@pytest.mark.parametrize(
    ("goal", "facts", "there"),
    [
        ("ready", {}, True),
        ("ready", {"state": "starting", "reached": "listening"}, False),
        ("ready", {"state": "exited", "result": "success", "pid": None}, True),
        ("listening", {"state": "starting", "reached": "listening"}, True),
        ("listening", {"state": "starting", "reached": "started"}, False),
        ("listening", {"state": "terminating"}, False),
        ("healthy", {"health": "healthy"}, True),
        ("healthy", {}, False),
        ("healthy", {"health": "healthy", "state": "terminating"}, False),
        ("exited", {"state": "exited", "pid": None}, True),
        ("exited", {"state": "failed", "pid": 7}, False),
        ("exited", {"state": "backoff", "pid": None}, False),
    ],
)
def test_where_a_service_is(goal: str, facts: dict[str, Any], there: bool) -> None:
    assert is_there(row(**facts), goal) is there


def test_what_cannot_come_is_not_waited_for() -> None:
    assert hopeless(row(state="failed", reason="exit code 3"), "ready") == "it has failed: exit code 3"
    assert hopeless(row(state="exited", result="exit-code"), "ready") == "it has exited"
    assert hopeless(row(), "healthy") == "it has no `healthcheck`"
    assert hopeless(row(state="failed"), "exited") == ""
    assert hopeless(row(state="backoff"), "ready") == ""


@pytest.mark.parametrize(("code", "state", "seen"), [(0, "exited", 0), (3, "failed", 3), (-9, "failed", 137),
                                                     (None, "failed", 10), (None, "stopped", 0)])  # fmt: skip
def test_the_exit_code_is_what_a_shell_would_see(code: int | None, state: str, seen: int) -> None:
    assert exit_code(row(exit_code=code, state=state)) == seen
