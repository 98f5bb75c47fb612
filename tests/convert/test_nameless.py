"""Commands whose program has no name unless a variable is set."""

from collections.abc import Callable

import pytest

from supervisor.convert.demands import demanded
from tests.convert.conftest import Converted

Convert = Callable[..., Converted]


def test_a_check_whose_command_names_no_program_is_listed(converted: Convert) -> None:
    result = converted("compose", "services: {a: {command: b, healthcheck: {test: [CMD, '']}}}\n")
    (service,) = result.stack.services.values()
    assert service.healthcheck is None
    assert "its command names no program" in result.left["a"]


def test_a_hook_that_names_no_program_is_left_out(converted: Convert) -> None:
    text = "services: {web: {command: ./web, pre_stop: [{command: ['', x]}], post_start: [{command: ./warm}]}}"
    result = converted("compose", text)
    assert [hook.value for hook in result.stack.services["web"].hooks] == ["post_start"]
    assert "`pre_stop`: its command names no program" in result.left["web"]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("compose", "services: {a: {command: $TOOL}}"),
        ("compose", "services: {a: {command: [$TOOL, x]}}"),
        ("compose", """services: {a: {command: '"$TOOL" x'}}"""),
        ("compose", "services: {a: {entrypoint: '${TOOL-}', command: [x]}}"),
        ("compose", "services: {a: {command: b, healthcheck: {test: [CMD, '${TOOL}', x]}}}"),
        ("compose", "services: {a: {command: b, post_start: [{command: '${TOOL}'}]}}"),
        ("process-compose", "processes: {a: {command: '${TOOL}'}}"),
        ("process-compose", """processes: {a: {command: '"${TOOL}" run', shutdown: {command: '"${TOOL}" stop'}}}"""),
    ],
)
def test_a_variable_that_names_a_program_has_to_be_set(converted: Convert, kind: str, text: str) -> None:
    result = converted(kind, text, TOOL="podman")
    assert "names no program" not in result.left.get("a", "")
    assert "podman" in str(result.stack.services["a"])
    assert demanded(result.text, {}) == ["TOOL"]


def test_a_command_with_a_program_after_a_variable_starts_without_it(converted: Convert) -> None:
    result = converted("compose", "services: {a: {command: $WRAPPER serve}}")
    assert result.stack.services["a"].command == ("serve",)
    assert demanded(result.text, {}) == []
