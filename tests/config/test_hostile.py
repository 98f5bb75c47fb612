"""Whatever is in the file: a stack or a ConfigError comes out, in bounded time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.config import parse as parsing
from supervisor.config.files import LARGEST
from supervisor.config.keys.stack import STACK
from supervisor.config.kinds import Named, Section, Several
from supervisor.config.parse import parse
from supervisor.config.report import Report
from supervisor.errors import ConfigError, Problem
from tests.support.budget import budget, tries

from .conftest import Loading
from .test_schema import SERVICE

BOUND = 60  # seconds, for a busy machine: the slowest takes half of one, and hours where work grows with the square
QUICK = tries(8, 2000)
EXAMPLE = """\
name: sandra
x-base: &base {restart: always, environment: {LEVEL: "${LEVEL:-info}"}}
services:
  ollama-mcp:
    <<: *base
    command: [python, -m, examples.ollama_mcp, "--port={port}"]
    pool: [6010, 6011, 6012]
    ready: {http: /health, timeout: 30s}
  sandra-ia:
    command: 'python -m examples.sandra_ia --peer {url:ollama-mcp}'
    pool: {base: 6030, size: 4}
    depends_on: {ollama-mcp: {condition: ready}}
    healthcheck: {http: /health, interval: 10s, timeout: 2s, retries: 3}
    on_port_change: {signal: SIGHUP}
"""


def only_a_stack_or_an_error(loading: Loading, text: str | bytes) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        assert loading(text, {"A": "a", "LEVEL": "1"}).services
    except ConfigError as error:
        problems = error.problems
    for problem in problems:
        assert "\n" not in problem.message + problem.hint
        assert problem.message.isprintable()


@QUICK
@given(st.binary(max_size=200))
def test_random_bytes(loading: Loading, content: bytes) -> None:
    only_a_stack_or_an_error(loading, content)


@QUICK
@given(st.text(alphabet="abAx01 \n\t-:?,[]{}&*!|>'\"%@`#~<$.\\/\u00e9\u00a0\u2028😀", max_size=120))
@example("services: {a: {command: a}}\n? [")
def test_random_text_of_the_characters_of_yaml(loading: Loading, text: str) -> None:
    only_a_stack_or_an_error(loading, text)


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.dates(), st.text(max_size=10), st.binary(max_size=3),
    st.sampled_from(["${A}", "${B", "{port}", "{url:web}", "6000-6002", "10s", "<<", "on", "always", "1:30", "0x1F"]),
)  # fmt: skip
KEYS = st.one_of(st.sampled_from(["name", "services", "instances", "ports", "web", "<<", "http", *SERVICE]), SCALARS)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=15
)


@QUICK
@given(TREES, st.dictionaries(st.sampled_from(list(SERVICE)), TREES, max_size=6), st.booleans())
def test_random_trees(loading: Loading, tree: object, service: object, flow: bool) -> None:
    for data in (tree, {"services": tree}, {"services": {"web": tree}}, {"services": {"web": service}}):
        only_a_stack_or_an_error(loading, yaml.dump(data, default_flow_style=flow, allow_unicode=True))


@QUICK
@given(st.lists(st.tuples(st.integers(0, len(EXAMPLE)), st.integers(0, 12), st.text(max_size=4)), max_size=4))
def test_a_good_file_with_holes_and_additions(loading: Loading, edits: list[tuple[int, int, str]]) -> None:
    text = EXAMPLE
    for at, cut, more in edits:
        text = text[:at] + more + text[at + cut :]
    only_a_stack_or_an_error(loading, text.encode("utf-8", "surrogatepass"))


def test_the_example_itself_is_good(loading: Loading) -> None:
    assert list(loading(EXAMPLE).services) == ["ollama-mcp", "sandra-ia"]


SIZE = budget(LARGEST // 64, LARGEST)  # work that grows with the square shows at a sixtieth, too
SHARE = LARGEST // SIZE
S = "services:\n  w:\n    command: "
HOSTILE = {
    "brackets": "[" * SIZE,
    "questions": "? " * (SIZE // 2),
    "dashes": "-\n" * (SIZE // 2),
    "list": "[" + "a," * (SIZE // 2 - 2) + "]",
    "keys": "\n".join(f"k{n}: 1" for n in range(80_000 // SHARE)),
    "unknown keys": "services:\n  w:\n" + "\n".join(f"    comand{n}: 1" for n in range(50_000 // SHARE)),
    "quotes": '"' * SIZE,
    "anchors": "&a " * (SIZE // 3),
    "comment": "#" * SIZE,
    "one word": "a" * SIZE,
    "folded": "a: >\n" + " x\n\n" * (SIZE // 5),
    "long command": S + "a " * (SIZE // 2 - 50),
    "command everywhere": f"x: &c '{'a ' * 30_000}'\nservices:\n"
    + "".join(f"  s{n}: {{command: *c}}\n" for n in range(900)),
    "placeholders": S + "['" + "{port:x}" * (80_000 // SHARE) + "']",
    "references": S + "['" + "${A:-" * (80_000 // SHARE) + "']",
    "dependencies": f"x: &d [{','.join(f's{n}' for n in range(300))}]\nservices:\n"
    + "".join(f"  s{n}: {{command: a, depends_on: *d}}\n" for n in range(300)),
    "overlaps": "services:\n" + "".join(f"  s{n}: {{command: a, pool: 1-250}}\n" for n in range(900)),
    "ranges": "services: {w: {command: a, pool: [" + "1-256," * (90_000 // SHARE) + "]}}",
    "secrets": S + "a\n    environment:\n" + "".join(f"      A{n}_KEY: secret{n}\n" for n in range(15_000 // SHARE)),
    "groups": S + "a\n    ready: {log: '" + "(" * 999 + "'}",
    "digits": S + "a\n    pool: " + "9" * (500_000 // SHARE),
    "spaces": S + "a\n    pool: 1" + " " * (500_000 // SHARE) + "-",
    "slashes": S + "a\n    ready: {http: 'http://" + "/" * (500_000 // SHARE) + "'}",
}


@pytest.mark.timeout(BOUND)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_takes_bounded_time(loading: Loading, name: str) -> None:
    only_a_stack_or_an_error(loading, HOSTILE[name])


def test_yaml_s_own_parser_reads_the_same_tree_as_libyaml_s(
    loading: Loading, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fast = parse(EXAMPLE, Report("x"))
    assert fast is not None
    monkeypatch.setattr(parsing, "_LOADER", yaml.Loader)
    assert parse(EXAMPLE, Report("x")) == fast
    assert loading(EXAMPLE).services


def every_name(section: Section, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Each key by each of its names, and how to get there."""
    for key in section.keys:
        yield from ((*path, name) for name in (key.name, *key.also))
        match key.kind:
            case Named(section=inner):
                yield from every_name(inner, (*path, key.name, "web"))
            case Several(section=inner):
                yield from every_name(inner, (*path, key.name, "0"))
            case Section() as inner:
                yield from every_name(inner, (*path, key.name))


def with_value(path: tuple[str, ...], value: object) -> object:
    for name in reversed(path):
        value = [value] if name == "0" else {name: value}
    return value


ODD: tuple[object, ...] = (
    "x", ["a"], None, {"a": {"b": 1}}, [{"a": 1}], [None], {}, [], True, 6000, "@sometimes", "0 3 * *",
    "a{99999999999999999999}", "${Z:-}", "{url:}", "signal: 999", "x" * 3000,
)  # fmt: skip


@pytest.mark.parametrize("value", ODD[: budget(1, len(ODD))], ids=repr)
def test_a_key_by_any_of_its_names_with_an_odd_value_is_no_more_than_a_mistake(loading: Loading, value: object) -> None:
    good = {"command": "a", "pool": 6000}
    for path in every_name(STACK):
        data = with_value(path, value)
        if path[:2] == ("services", "web") and len(path) > 2:
            data = {"services": {"web": {**good, **data["services"]["web"]}}}  # type: ignore[index]
        elif path[0] != "services":
            data = {"services": {"web": good}, **data}  # type: ignore[dict-item]
        only_a_stack_or_an_error(loading, yaml.safe_dump(data))


@pytest.mark.parametrize("key", ["working_dir", "env_file", "extends", "render"])
def test_a_name_that_no_file_can_have_is_no_surprise(loading: Loading, key: str) -> None:
    long = "x" * 300
    text = "services:\n  web: {command: [x]}\n"
    match key:
        case "render":
            text += f"render: [{{template: services.yaml, to: {long}}}]\n"
        case "extends":
            text = f"services:\n  web: {{extends: {{file: {long}, service: web}}}}\n"
        case _:
            text = f"services:\n  web: {{command: [x], {key}: {long}}}\n"
    only_a_stack_or_an_error(loading, text)
