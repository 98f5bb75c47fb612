"""`portsup config` and `portsup schema`."""

import json
import os
from pathlib import Path

import pytest

from supervisor.config.load import load
from supervisor.errors import ExitCode
from tests.cli.conftest import Run

GOOD = """\
name: shop
services:
  web:
    command: [sleep, "9"]
    pool: [26000, 26001, 26002]
    environment: {GROQ_API_KEY: gsk-1234567, GREETING: "héllo"}
"""
BAD = """\
name: shop
services:
  web:
    command: [sleep, "9"]
    pol: [26000, 26001, 26002]
    restart: sometimes
"""


@pytest.fixture
def folder(own_folders: Path) -> Path:
    (own_folders / "services.yaml").write_text(GOOD)
    return own_folders


def test_a_right_file_is_said_to_be_fine(folder: Path, run: Run) -> None:
    ran = run("config", "check")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.endswith("services.yaml` is fine: stack `shop` with 1 service\n")


def test_a_wrong_file_is_told_with_every_mistake(folder: Path, run: Run) -> None:
    (folder / "services.yaml").write_text(BAD)
    ran = run("config", "check")
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    assert "services.yaml:5:5: " in ran.err
    assert "services.yaml:6:14: " in ran.err
    assert "did you mean `pool`?" in ran.err


def test_the_file_is_found_in_a_folder_above(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "src").mkdir()
    monkeypatch.chdir(folder / "src")
    assert run("config", "check").code == 0


def test_no_file_is_told(run: Run) -> None:
    ran = run("config", "show")
    assert ran.code == ExitCode.USAGE
    assert "cannot find a services.yaml" in ran.err
    assert run("config", "check", "-f", "nope.yaml").code == ExitCode.USAGE


@pytest.mark.parametrize("arguments", [["-f", "other.yaml", "config", "show"], ["config", "show", "-f", "other.yaml"]])
def test_the_file_may_be_named(arguments: list[str], folder: Path, run: Run) -> None:
    (folder / "services.yaml").rename(folder / "other.yaml")
    assert run(*arguments).code == 0


def test_what_is_shown_loads_as_the_same_stack(folder: Path, run: Run, tmp_path: Path) -> None:
    ran = run("config", "show", "--reveal")
    shown = tmp_path / "services.yaml"
    shown.write_text(ran.out)
    again, before = (load(file, os.environ) for file in (shown, folder / "services.yaml"))
    assert again.services["web"].environment == before.services["web"].environment
    assert again.services["web"].pool == before.services["web"].pool
    assert "héllo" in ran.out


@pytest.mark.parametrize("style", ["yaml", "json"])
def test_secrets_are_hidden_unless_asked_for(style: str, folder: Path, run: Run) -> None:
    hidden = run("config", "show", "--format", style)
    assert "gsk-1234567" not in hidden.out
    assert "***" in hidden.out
    assert "gsk-1234567" in run("config", "show", "--format", style, "--reveal").out


def test_json_is_one_document(folder: Path, run: Run) -> None:
    assert json.loads(run("config", "show", "--format", "json").out)["services"]["web"]["pool"] == [26000, 26001, 26002]


def test_the_schema_is_json(run: Run) -> None:
    ran = run("schema")
    assert ran.code == 0
    assert json.loads(ran.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_names_alone_are_for_scripts(folder: Path, run: Run) -> None:
    names = list(json.loads(run("config", "show", "--format", "json").out)["services"])
    assert run("config", "show", "--services") == (0, "".join(f"{name}\n" for name in names), "")
