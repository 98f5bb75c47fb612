"""A budget for memory, and what services cost of it."""

import pytest

from supervisor.config import budget as checks
from supervisor.config.show import resolved
from supervisor.core.budget import Budget
from tests.config.conftest import Loading, Mistakes

GB = 1024**3


def stack(budget: str, **costs: str) -> str:
    """Services that start on a connection, each with these keys more."""
    services = (
        f"{name}: {{command: x, pool: [{8000 + number}], start: on-connect, {more}}}"
        for number, (name, more) in enumerate(costs.items())
    )
    return f"{{budget: {budget}, services: {{{', '.join(services)}}}}}"


def test_sizes_are_read_and_shown_again(loading: Loading) -> None:
    made = loading(stack("{memory: 6GB, evict: lru}", a="memory_cost: 2GB"))
    assert made.budget == Budget(6 * GB)
    assert made.services["a"].memory_cost == 2 * GB
    shown = resolved(made)
    assert shown["budget"] == {"memory": 6 * GB, "evict": "lru"}
    assert shown["services"]["a"]["memory_cost"] == 2 * GB


def test_without_the_other_half_neither_is_of_use(loading: Loading) -> None:
    (warning,) = loading("services: {a: {command: x, memory_cost: 2GB}}").warnings
    assert "there is no `budget` that it is taken from" in warning
    warnings = loading(stack("{memory: 6GB}", a="stdin: open")).warnings
    assert any("budget.memory: no service has a `memory_cost`" in each for each in warnings)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (stack("{memory: 1GB}", a="memory_cost: 2GB"), "more than `budget` has, so it would never start"),
        (stack("{memory: 3GB}", a="memory_cost: 1GB, replicas: 4"), "more than `budget` has, so it would never start"),
        (
            stack("{memory: 3GB}", a="memory_cost: 2GB", b="memory_cost: 2GB").replace("on-connect", "with-stack", 1),
            "more than `budget` has in addition to the services that portsup never stops",
        ),
        (
            stack("{memory: 3GB}", a="memory_cost: 2GB", b="memory_cost: 2GB").replace("on-connect", "with-stack"),
            "the services that start with the stack and are never stopped cost more: `a`, `b`",
        ),
        (stack("{gpu_memory: 1GB}", a="memory_cost: 2GB"), "there is no `memory` in `budget`"),
        (stack("{memory: 1GB, evict: oldest}", a="memory_cost: 1GB"), "write `lru`"),
        (stack("6GB", a="memory_cost: 1GB"), "budget: expected a mapping"),
    ],
)
def test_what_cannot_be_is_a_mistake(mistakes: Mistakes, text: str, words: str) -> None:
    assert any(words in mistake for mistake in mistakes(text)), mistakes(text)


def test_nobody_can_be_asked_how_much_a_gpu_has_without_the_extra(
    loading: Loading, mistakes: Mistakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_can_ask", lambda: False)
    (mistake,) = mistakes(stack("{}", a="gpu_memory_cost: 8GB"))
    assert "pip install 'portsup[gpu]'" in mistake
    assert "`budget: {gpu_memory: 20GB}`" in mistake
    assert loading(stack("{gpu_memory: 20GB}", a="gpu_memory_cost: 8GB")).budget == Budget(0, 20 * GB)
