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


@pytest.mark.parametrize(
    ("text", "success", "failure"),
    [
        ("stop_all", "stop_all", "stop_all"),
        ("ignore", "ignore", "ignore"),
        ("{success: stop_all}", "stop_all", "ignore"),
        ("{failure: stop_all}", "ignore", "stop_all"),
    ],
)
def test_an_end_may_end_the_others(loading: Loading, text: str, success: str, failure: str) -> None:
    on_end = loading(f"services: {{it: {{command: x, on_end: {text}}}}}").services["it"].on_end
    assert (on_end.success, on_end.failure) == (success, failure)


def test_a_word_of_a_peer_leads_to_ours(mistakes: Mistakes) -> None:
    assert mistakes("services:\n  it:\n    command: x\n    exit_on_end: true\n") == [
        "4:5 services.it: unknown key `exit_on_end` (write `on_end: stop_all`)"
    ]


def test_a_dependency_may_take_its_dependants_along(loading: Loading) -> None:
    needs = "{a: {restart: true}, b: {condition: started, restart: false}, c: ready}"
    stack = loading(f"services: {{a: {{command: x}}, b: {{command: x}}, c: {{command: x}}, "
                    f"it: {{command: x, depends_on: {needs}}}}}")  # fmt: skip
    assert stack.services["it"].restarts_with == {"a"}
    shown = resolved(stack)["services"]["it"]["depends_on"]
    assert (shown["a"], shown["c"]) == ({"condition": "ready", "restart": True}, {"condition": "ready"})
