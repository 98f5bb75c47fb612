"""docs/reference/services-yaml.md tells of every key and its default, and its examples are good."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from supervisor.config import questions, shapes
from supervisor.config.keys.ending import HOOK, HOOKS
from supervisor.config.keys.stack import STACK
from supervisor.config.kinds import Choice, Named, Section, Several

from .conftest import Loading

PAGE = (Path(__file__).parents[2] / "docs/reference/services-yaml.md").read_text()


def sections() -> Iterator[tuple[str, Section]]:
    """Each section of keys with the heading that tells of it."""

    def inside(section: Section) -> Iterator[tuple[str, Section]]:
        for key in section.keys:
            kind = key.kind.section if isinstance(key.kind, Several) else key.kind
            if isinstance(kind, Section):
                yield f"### `{'hooks' if section is HOOKS else key.name}`", kind
                yield from inside(kind)

    yield "## The stack", STACK
    for key in STACK.keys:
        if isinstance(key.kind, Named):
            yield "## A service", key.kind.section
            yield from inside(key.kind.section)
    yield from inside(STACK)
    yield "### `pool`", shapes.POOL_OF_SIZE
    yield "### `env_file`", shapes.ENV_FILE
    yield "### `extends`", shapes.EXTENDS
    yield "### `http`", questions.HTTP


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of the tables under a heading, by the key in their first cell."""
    _, _, rest = PAGE.partition(f"\n{heading}\n")
    text = re.split(r"^##+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return {match[1]: row for row in cells if (match := re.fullmatch(r"`([a-z_]+)`", row[0]))}


assert isinstance(shapes.CONDITION.kind, Choice)
CONDITION = shapes.CONDITION.kind
SECTIONS = list(sections())


@pytest.mark.parametrize(("heading", "section"), SECTIONS, ids=[heading for heading, _ in SECTIONS])
def test_every_key_has_its_row_with_its_default_and_no_other_has_one(heading: str, section: Section) -> None:
    told = rows(heading)
    if heading == "### `healthcheck`":
        told |= {name: row for name, row in rows("### `ready`").items() if name in section.one_of}  # it refers to them
    for key in section.keys:
        cell = told[key.name][2]
        assert told[key.name][-1].endswith(".")
        if key.required or heading == "### `on_port_change`":
            assert cell == "required"
        elif key.default:
            assert cell == f"`{key.default}`"
        else:
            assert cell in ("", "none", "the folder's name")
    others = {*section.words, "condition", *CONDITION.words}
    if heading == "### `hooks`":  # it has the table of a hook too
        others |= {key.name for key in (*HOOK.keys, *HOOKS.keys)}
    assert set(told) <= {key.name for key in section.keys} | others


def test_every_condition_is_told() -> None:
    assert list(rows("### `depends_on`")) == ["condition", *CONDITION.words]


EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_small_stack_loads_without_a_warning(loading: Loading) -> None:
    (stack,) = (example for example in EXAMPLES if "services:" in example)
    assert loading(stack).warnings == ()


@pytest.mark.parametrize(
    "line", [line for example in EXAMPLES if "services:" not in example for line in example.splitlines()]
)
def test_every_line_of_the_examples_loads(loading: Loading, tmp_path: Path, line: str) -> None:
    (tmp_path / "common.env").touch()
    service = {"command": "a", "pool": 8000} | (yaml.safe_load(line) or {})
    others = {"database": {"command": "b", "pool": 7000}, "migration": {"command": "c"}}
    loading(yaml.safe_dump({"services": {"web": service, **others}}), {"HOME": "/"})
