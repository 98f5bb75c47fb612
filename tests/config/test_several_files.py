"""Several files: what is merged, what is replaced, what is taken away, and where mistakes are told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.config.load import load, load_asked
from supervisor.config.spec import Condition, ProbeKind, StackSpec
from supervisor.errors import ConfigError

Merging = Callable[..., StackSpec]
BASE = """
name: shop
instances: {stride: 50}
services:
  web:
    command: [web, --fast]
    pool: {base: 8000, size: 3}
    environment: [LEVEL=info, MODE=base]
    depends_on: {db: started}
    profiles: [one, two]
    ready: {http: /health, timeout: 5s}
    healthcheck: {tcp: true, interval: 4s}
    env_file: {path: a.env, required: false}
  db: {command: db, pool: 8010-8012}
"""


@pytest.fixture
def merging(tmp_path: Path) -> Merging:
    """Loads files one over the other: `services.yaml`, and the others called `1.yaml` and on, in a folder `sub`."""

    def load_them(*texts: str, **environ: str) -> StackSpec:
        paths = [tmp_path / "services.yaml"]
        (tmp_path / "sub").mkdir(exist_ok=True)
        paths += [tmp_path / "sub" / f"{number}.yaml" for number in range(1, len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        return load(paths[0], environ, over=paths[1:], ephemeral=())

    return load_them


def told(merging: Merging, *texts: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        merging(*texts)
    folder = f"{caught.value.problems[0].file.rpartition('/')[0].removesuffix('sub').rstrip('/')}/"
    return [f"{Path(p.file).name}:{p.line}:{p.column} {p.message.replace(folder, '')}" for p in caught.value.problems]


def test_mappings_are_merged_by_key_and_all_else_is_replaced(merging: Merging, tmp_path: Path) -> None:
    over = """
instances: {}
services:
  web:
    command: [web]
    pool: {base: 9000}
    environment: {LEVEL: "${WANTED}"}
    depends_on: [cache]
    profiles: [three]
    ready: {exec: [true]}
    env_file: {path: b.env, required: false}
    working_dir: .
  cache: {command: cache, pool: 8020-8022}
"""
    stack = merging(BASE, over, WANTED="debug")
    web = stack.services["web"]
    assert (stack.name, stack.stride, list(stack.services)) == ("shop", 50, ["web", "db", "cache"])
    assert (web.command, web.pool, web.profiles) == (("web",), (9000, 9001, 9002), ("three",))
    assert web.environment == {"LEVEL": "debug", "MODE": "base"}, "a list of NAME=VALUE is a mapping too"
    assert web.depends_on == {"db": Condition.STARTED, "cache": Condition.READY}
    assert (web.ready.probe.kind, web.ready.timeout) == (ProbeKind.EXEC, 5.0), "one probe excludes the other"
    assert web.healthcheck is not None
    assert web.healthcheck.interval == 4.0
    assert web.working_dir == tmp_path, "paths are those of the first file"
    assert stack.over == (tmp_path / "sub" / "1.yaml",)
    assert stack.files == (tmp_path / "services.yaml", tmp_path / "sub" / "1.yaml")


def test_the_last_file_has_the_last_word(merging: Merging) -> None:
    files = ["services: {web: {environment: {A: '%d'}}}" % number for number in range(1, 4)]  # noqa: UP031
    assert merging(BASE, *files).services["web"].environment["A"] == "3"
    assert merging(BASE, *reversed(files)).services["web"].environment["A"] == "1"


def test_what_is_below_can_be_taken_away_or_replaced_as_a_whole(merging: Merging) -> None:
    over = """
services:
  web:
    environment: !override {ONLY: this}
    depends_on: {db: !reset }
    profiles: !reset []
    healthcheck: !reset null
    ready: {timeout: !reset }
  db: !reset
"""
    stack = merging(BASE, over)
    web = stack.services["web"]
    assert list(stack.services) == ["web"]
    assert (web.environment, web.depends_on, web.profiles) == ({"ONLY": "this"}, {}, ())
    assert (web.healthcheck, web.ready.timeout, web.ready.probe.target) == (None, 30.0, "/health")
    assert stack.warnings == ()


def test_what_was_taken_away_stays_away_until_it_is_said_again(merging: Merging) -> None:
    common = "services: {base: {command: x, environment: {C: c}, healthcheck: {exec: [a]}, memory_limit: 1GB}}"
    base = "services: {web: {extends: {file: sub/1.yaml, service: base}, environment: {A: a}}}"
    away = "services: {web: {environment: !reset , healthcheck: !reset , memory_limit: !reset }}"
    again = "services: {web: {environment: {B: b}}}"
    web = merging(base, common.replace("base:", "unused: {command: y}, base:"), away).services["web"]
    assert (web.environment, web.healthcheck, web.memory_limit) == ({}, None, 0), "of what it extends as well"
    assert merging(base, common, away, again).services["web"].environment == {"B": "b"}


def test_a_tag_that_has_nothing_below_it_is_a_warning(merging: Merging) -> None:
    over = "services:\n  web: {profiles: !reset , limits: !reset , logging: !override {backups: 1}}\n"
    warnings = [each.partition("sub/")[2] for each in merging(BASE, over).warnings]
    assert warnings == [
        "1.yaml:2:36: limits: there is nothing for `!reset` to take away",
        "1.yaml:2:54: logging: there is nothing for `!override` to replace",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("services: {web: {profiles: [!reset ]}}", "1:29 tag `!reset` is for the value of a key"),
        ("services: {web: {!reset bind: report}}", "1:18 tag `!reset` is for the value of a key"),
        ("!override {services: {}}", "1:1 tag `!override` is for the value of a key"),
        ("services: {web: {bind: !reset report}}", "1:24 `!reset` takes away, so it has no value"),
        ("services: {web: {bind: !remove }}", "1:24 tag `!remove` is not allowed"),
        ("services: {web: {<<: !override {bind: move}}}", "1:22 tag `!override` is for the value of a key"),
    ],
)
def test_a_tag_in_the_wrong_place_is_told(merging: Merging, text: str, problem: str) -> None:
    found = told(merging, BASE, text)
    assert any(each.startswith(f"1.yaml:{problem}") for each in found), found


def test_files_are_put_together_before_services_extend_others(merging: Merging, tmp_path: Path) -> None:
    (tmp_path / "sub" / "own.yaml").parent.mkdir(exist_ok=True)
    (tmp_path / "sub" / "own.yaml").write_text("services: {tool: {command: tool}}")
    over = """
services:
  web: {environment: {MODE: over}}
  debug: {extends: web, pool: 8030-8032}
  tool: {extends: {file: own.yaml, service: tool}}
"""
    stack = merging(BASE, over)
    assert stack.services["debug"].environment == {"LEVEL": "info", "MODE": "over"}
    assert stack.services["tool"].command == ("tool",), "relative to the file that says so"
    assert stack.others == (tmp_path / "sub" / "own.yaml",)


def test_each_mistake_is_told_in_its_own_file(merging: Merging) -> None:
    over = "services:\n  db: {pool: 8001, bnd: x}\n  wbe: {environment: {A: b}}\n"
    found = told(merging, BASE.replace("db: {", "db: {restart: maybe, "), over, "services: {web: }")
    assert found == [
        "services.yaml:14:17 services.db.restart: `maybe` is not one of never, on-failure, always",
        "1.yaml:2:20 services.db: unknown key `bnd`",
        "1.yaml:2:25 services.db.bind: `x` is not one of report, strict, move",
        "1.yaml:3:8 services.wbe has no `command`",
        "2.yaml:1:17 services.web: expected a mapping, found nothing",
    ]


def test_pools_that_meet_only_when_merged_are_told_with_both_files(merging: Merging) -> None:
    assert told(merging, BASE, "services:\n  db:\n    pool: 8001\n") == [
        "1.yaml:3:11 services.db.pool: port 8001 also in the pool of `web` (line 7 of services.yaml)"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- services", "1.yaml:1:1 the file: expected a mapping, found a list"),
        ("services: {web: [}", "1.yaml:1:18 cannot be read as YAML"),
        ("name: 'A b'\n", "1.yaml:1:7 name: `A b` does not fit"),
    ],
)
def test_a_file_that_is_none_is_told(merging: Merging, text: str, problem: str) -> None:
    (found,) = told(merging, BASE, text)
    assert found.startswith(problem)


def test_a_file_that_is_not_there_is_told_by_its_name(merging: Merging, tmp_path: Path) -> None:
    merging(BASE)
    for name, why in (("sub", "is a directory, not a file"), ("no.yaml", "there is no such file")):
        with pytest.raises(ConfigError, match=r"services.yaml` with `.*: there is a mistake") as caught:
            load(tmp_path / "services.yaml", {}, over=[tmp_path / name])
        assert [f"{Path(p.file).name}: {p.message}" for p in caught.value.problems] == [f"{name}: {why}"]


def test_a_folder_without_a_file_is_told_by_the_file_that_it_lacks(tmp_path: Path) -> None:
    """Also one whose services.yaml was removed while the stack runs."""
    with pytest.raises(ConfigError) as caught:
        load_asked((str(tmp_path),), {})
    [problem] = caught.value.problems
    assert (Path(problem.file), problem.message) == (tmp_path / "services.yaml", "there is no such file")


def test_an_empty_file_over_another_is_a_warning(merging: Merging) -> None:
    (warning,) = merging(BASE, "# nothing yet\n").warnings
    assert warning.endswith("1.yaml:1:1: the file is empty, so it changes nothing")
