"""`extends`: what is merged, what is replaced, and where mistakes are told."""

from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from supervisor.config.extends import MOST_NODES
from supervisor.config.load import load
from supervisor.config.schema import schema
from supervisor.config.spec import ProbeKind
from supervisor.errors import ConfigError

from .conftest import Loading, Mistakes

COMMON = """
services:
  server:
    extends: root
    command: [serve, --all]
    pool: {base: 7000, size: 3}
    environment: {A: common, B: common}
    ready: {http: /health, timeout: 5s}
  root:
    restart_policy: {delay: 2s, factor: 3}
    working_dir: .
    env_file: common.env
"""


def told(folder: Path, text: str) -> list[str]:
    """What is wrong, with the name of the file."""
    (folder / "services.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(folder / "services.yaml", {}, ephemeral=())
    return [f"{Path(p.file).name}:{p.line}:{p.column} {p.message}" for p in caught.value.problems]


def test_mappings_are_merged_and_all_else_is_replaced(loading: Loading, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "common.yaml").write_text(COMMON)
    (tmp_path / "common.env").write_text("FROM=file\n")
    text = """
services:
  web:
    extends: {file: sub/common.yaml, service: server}
    command: [web]
    pool: {base: 8000}
    environment: {B: "${MODE}", C: own}
    ready: {tcp: true}
    restart_policy: {delay: 1s}
  plain: {extends: web, pool: 9000-9002}
"""
    stack = loading(text, {"MODE": "mine"})
    web = stack.services["web"]
    assert (web.command, web.pool) == (("web",), (8000, 8001, 8002))
    assert web.environment == {"FROM": "file", "A": "common", "B": "mine", "C": "own"}
    assert (web.ready.probe.kind, web.ready.timeout) == (ProbeKind.TCP, 5.0), "one probe excludes the other"
    assert (web.restart_policy.delay, web.restart_policy.factor) == (1.0, 3.0)
    assert web.working_dir == tmp_path, "as seen from services.yaml"
    assert stack.services["plain"].environment == web.environment
    assert set(stack.services) == {"web", "plain"}, "of the other file only what is named"
    assert stack.others == (tmp_path / "sub" / "common.yaml",)
    jsonschema.Draft202012Validator(schema()).validate(yaml.safe_load(text))


def test_a_mistake_is_told_in_the_file_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "common.yaml").write_text("services:\n  server:\n    comand: x\n    restart: sometimes\n")
    found = told(tmp_path, "services:\n  web: {extends: {file: common.yaml, service: server}, command: a, bind: x}\n")
    assert found == [
        "services.yaml:2:74 services.web.bind: `x` is not one of report, strict, move",
        "common.yaml:3:5 services.web: unknown key `comand`",
        "common.yaml:4:14 services.web.restart: `sometimes` is not one of never, on-failure, always",
    ]


def test_another_file_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    text = "services:\n  web: {extends: {file: common.yaml, service: server}, command: a}\n"
    assert told(tmp_path, text) == ["services.yaml:2:25 services.web.extends: `common.yaml`: there is no such file"]
    (tmp_path / "common.yaml").write_text("services:\n  server: {command: [}\n")
    (found,) = told(tmp_path, text)
    assert found.startswith("common.yaml:2:")
    (tmp_path / "common.yaml").write_text("services: {serve: {command: a}}\n")
    assert told(tmp_path, text) == [
        "services.yaml:2:47 services.web.extends: there is no service `server` in `common.yaml`"
    ]


@pytest.mark.parametrize(
    ("services", "problem"),
    [
        ("{a: {extends: a}}", "1:25 services.a.extends: a cycle, `a` -> `a` (remove one of the links)"),
        ("{a: {extends: [b]}}", "1:25 services.a.extends: expected the name of a service or a mapping, found a list"),
        ("{a: {extends: {file: x}}}", "1:25 services.a.extends has no `service`"),
        ("{a: {extends: {sevice: x}}}", "1:26 services.a.extends: unknown key `sevice` (did you mean `service`?)"),
        ("{a: {extends: wb}, web: {command: a}}", "there is no service `wb` (did you mean `web`?)"),
        ("{a: {extends: b}, b: {restart: never}}", "services.a has no `command`"),
    ],
)
def test_what_can_not_be_extended_is_told(mistakes: Mistakes, services: str, problem: str) -> None:
    found = mistakes(f"services: {services}")
    assert any(problem in each for each in found), found


def test_a_cycle_over_two_files_ends(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("services: {b: {extends: {file: services.yaml, service: a}}}")
    text = "services: {a: {command: x, extends: {file: other.yaml, service: b}}}"
    assert any("a cycle, `a` -> `b` -> `a`" in each for each in told(tmp_path, text))


def test_what_comes_from_others_is_bounded(mistakes: Mistakes) -> None:
    many = ", ".join(f"V{number}: x" for number in range(1000))
    users = "".join(f"  u{number}: {{extends: base}}\n" for number in range(MOST_NODES // 1000 + 1))
    found = mistakes(f"services:\n  base: {{command: a, environment: {{{many}}}}}\n{users}")
    assert any("values come from other services" in each for each in found)


@pytest.mark.parametrize("name", ["extend", "base", "inherits"])
def test_another_word_for_extends_is_the_only_mistake(mistakes: Mistakes, name: str) -> None:
    """That the command comes from there is not said as well."""
    (mistake,) = mistakes(f"services:\n  base: {{command: a}}\n  web: {{{name}: base}}\n")
    assert mistake == f"3:9 services.web: unknown key `{name}` (write `extends: base`)"
