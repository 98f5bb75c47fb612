"""docs/reference/services-yaml.md tells of every key and its default, and its examples are good."""

import re
from pathlib import Path

import pytest
import yaml

from supervisor.config import reference
from supervisor.config.keys import mappings
from supervisor.config.kinds import Choice

from .conftest import Loading

FOLDER = Path(__file__).parents[2] / "docs/reference"
PAGE = (FOLDER / "services-yaml.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["services-yaml.md", "cli.md"])
def test_the_tables_of_the_page_are_those_of_the_keys(name: str) -> None:
    page = (FOLDER / name).read_text(encoding="utf-8")
    assert reference.updated(page) == page, f"run `python -m supervisor.config.reference docs/reference/{name}`"


def test_every_section_has_its_table() -> None:
    # The hooks are alike, and so are the probes of `ready` and `healthcheck`.
    like_others = {f"hooks.{hook}" for hook in ("post_start", "pre_stop", "post_stop")}
    assert sorted(re.findall(r"<!-- keys of ([\w.]+) -->", PAGE)) == sorted(set(reference.sections()) - like_others)


def test_every_key_is_told_in_whole_sentences() -> None:
    for section in reference.sections().values():
        for key in section.keys:
            assert re.fullmatch(r"[A-Zp`].*[.]", key.doc), key.name
            assert re.fullmatch(r"([A-Z0-9p`].*[.])?", key.more), key.name


def test_every_condition_is_told() -> None:
    kind = mappings.CONDITION.kind
    assert isinstance(kind, Choice)
    _, _, rest = PAGE.partition("\n| `condition` |")
    assert re.findall(r"^\| `(\w+)` \|", rest.partition("\n\n")[0], re.MULTILINE) == list(kind.words)


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
