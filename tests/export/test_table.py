"""Every key of a services.yaml has a fate in every target, and who meets a loss is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.config.keys import mappings
from supervisor.config.keys.stack import STACK
from supervisor.config.kinds import Kind, Named, Section, Several, Shape
from supervisor.config.spec import StackSpec
from supervisor.export import losses, reference
from supervisor.export.model import Fate, Target
from supervisor.export.table.rows import ROWS
from tests.export.conftest import Loading, exported

PAGE = Path(__file__).parents[2] / "docs/reference/exports.md"
KNOWN = {key: row for row in ROWS for key in row.keys}
MAPPINGS: dict[Shape, Section] = {
    Shape.HTTP: mappings.HTTP,
    Shape.POOL: mappings.POOL_OF_SIZE,
    Shape.EXTENDS: mappings.EXTENDS,
    Shape.ENV_FILES: mappings.ENV_FILE,
    Shape.DEPENDS_ON: mappings.NEED,
}


def paths(section: Section, before: str = "") -> Iterator[tuple[str, bool]]:
    """The path of every key, and whether it has keys below it."""
    for key in section.keys:
        inner = _inner(key.kind)
        path = f"{before}{key.name}"
        if isinstance(key.kind, Named):
            yield from paths(key.kind.section)
            continue
        yield path, inner is not None
        if inner is not None:
            yield from paths(inner, f"{path}.")


def _inner(kind: Kind) -> Section | None:
    match kind:
        case Section():
            return kind
        case Several(section=section) | Named(section=section):
            return section
        case Shape():
            return MAPPINGS.get(kind)
    return None


def test_every_key_has_a_row() -> None:
    assert [path for path, has_more in paths(STACK) if not has_more and path not in KNOWN] == []


def test_no_row_is_about_a_key_that_does_not_exist() -> None:
    assert set(KNOWN) - {path for path, _ in paths(STACK)} == set()


def test_no_key_has_two_rows() -> None:
    assert len(KNOWN) == sum(len(row.keys) for row in ROWS)


def test_whatever_is_not_kept_has_its_reason() -> None:
    fates = [(row.keys, target, row.of(target)) for row in ROWS for target in Target]
    assert [(keys, target) for keys, target, cell in fates if cell.fate is not Fate.KEPT and not cell.why] == []


def test_the_page_has_the_table() -> None:
    """When this fails: python -m supervisor.export.reference docs/reference/exports.md"""
    text = PAGE.read_text(encoding="utf-8")
    assert reference.table() in text
    assert reference.updated(text) == text


@pytest.mark.parametrize("target", Target)
def test_a_service_that_says_nothing_special_meets_few_losses(target: Target, loading: Loading) -> None:
    stack = loading("services: {job: {command: job, one_shot: true, restart: never}}")
    told = {Target.COMPOSE: ["stop_signal.to"]}.get(target, [])
    assert [loss.key for loss in exported(stack, target).losses] == told


def test_who_meets_a_loss_is_named_and_what_is_said_by_all_is_not(rich: StackSpec) -> None:
    found = {loss.key: loss for loss in exported(rich, Target.SYSTEMD).losses}
    assert found["stdin"].services == ("worker",)
    assert found["ready.http.status"].services == ("api",)
    assert "stop_command.timeout" in found["hooks.post_start.timeout, stop_command.timeout"].key
    lines = losses.lines(exported(rich, Target.SYSTEMD).losses, len(rich.services))
    assert "  stdin (lost) of worker: the program reads the end of its input at once" in lines


def test_a_pod_that_is_to_rest_is_told_to_start_again(loading: Loading) -> None:
    text = "services: {a: {command: a, restart: never}, b: {command: b, restart: always}, c: {command: c}}"
    found = {loss.key: loss.services for loss in exported(loading(text), Target.KUBERNETES).losses}
    assert (found["restart"], found["restart_policy.max_restarts"]) == (("a", "c"), ("b", "c"))


def test_files_that_are_rendered_are_told_to_be_lost(loading: Loading, tmp_path: Path) -> None:
    (tmp_path / "t").write_text("{port:a}")
    stack = loading("render: [{template: t, to: out}]\nservices: {a: {command: a, pool: 8100-8102}}")
    for target in Target:
        assert exported(stack, target).losses[0].key == "render"


@pytest.mark.parametrize("target", [Target.QUADLET, Target.COMPOSE, Target.KUBERNETES])
def test_addresses_of_this_machine_are_told_for_containers_unless_they_are_followed(
    target: Target, loading: Loading
) -> None:
    stack = loading("""
services:
  db: {command: [db, "{port}"], pool: 8100-8102, environment: {HOST: 127.0.0.1}}
  fine: {command: [fine, "127.0.0.1:{port:db}"], environment: {DB: "http://localhost:{port:db}"}}
  lost: {command: [lost, --bind, 127.0.0.1], environment: {OLLAMA: "http://localhost:11434"}}
""")
    found = {loss.key: loss.services for loss in exported(stack, target).losses}
    assert (found["command"], found["environment"]) == (("lost",), ("lost",))
