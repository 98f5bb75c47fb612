"""How a services.yaml says what follows from the end of a service."""

import pytest

from supervisor.config.show import resolved
from tests.config.conftest import Loading, Mistakes


def test_restarts_may_have_no_limit(loading: Loading) -> None:
    stack = loading("services:\n  it:\n    command: x\n    restart_policy: {max_restarts: infinite}\n")
    assert stack.services["it"].restart_policy.is_endless
    assert resolved(stack)["services"]["it"]["restart_policy"]["max_restarts"] == "infinite"


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        (
            "{max_restarts: unlimited}",
            "3:36 services.it.restart_policy.max_restarts: `unlimited` is not a whole number "
            "(write `infinite` for no limit)",
        ),
        (
            "{max_restarts: [1]}",
            "3:36 services.it.restart_policy.max_restarts: expected a whole number or `infinite`, found a list",
        ),
        (
            "{max_restarts: infinite, delay: 0}",
            "3:36 services.it.restart_policy: `infinite` without a wait would keep the machine busy with restarts "
            "(leave `delay` and `max_delay` above 0)",
        ),
    ],
)
def test_a_limit_that_makes_no_sense(mistakes: Mistakes, policy: str, problem: str) -> None:
    assert mistakes(f"services:\n  it:\n    restart_policy: {policy}\n    command: x\n") == [problem]
