"""`portsup init` of a file in one directory for a services.yaml in another, or of another machine."""

import math
import os
from pathlib import Path

import pytest

from supervisor.cli import surroundings
from supervisor.config.load import load
from supervisor.core.limits import UNLIMITED
from tests.cli.conftest import Run


@pytest.fixture
def folder(run: Run, own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    place = own_folders / "shop"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


# A file in `deploy`, converted from above: where its service runs, its file of variables, and its command.
_ELSEWHERE = {
    "compose.yml": ("services: {x: {build: ./app, command: x, env_file: x.env}}", "deploy/app", "deploy/x.env", "x"),
    "Procfile": ("x: x\n", "deploy", "deploy/.env", "x"),
    "process-compose.yaml": (
        "processes: {x: {command: x, working_dir: app, env_file: [x.env]}}",
        "app", "app/x.env", "x",
    ),
    "ecosystem.config.json": ('{"apps": [{"name": "x", "script": "x.py", "cwd": "app"}]}', "app", "", "python3 x.py"),
    "supervisord.conf": (
        "[program:x]\ncommand=x %(here)s/x.ini\n",
        ".", "", "x deploy/x.ini",
    ),
    "mprocs.yaml": ("procs: {x: {shell: x, cwd: <CONFIG_DIR>/app}}", "deploy/app", "", "x"),
    "circus.ini": ("[watcher:x]\ncmd = x\nworking_dir = app\n", "app", "", "x"),
    "pitchfork.toml": ('[daemons.x]\nrun = "x"\ndir = "app"\n', "deploy/app", "", "x"),
}  # fmt: skip


@pytest.mark.parametrize("name", _ELSEWHERE)
@pytest.mark.parametrize("output", ["services.yaml", "deploy/services.yaml", "other/services.yaml"])
def test_paths_begin_where_they_do_for_the_other_program(folder: Path, run: Run, name: str, output: str) -> None:
    text, place, variables, command = _ELSEWHERE[name]
    for each in ("app", "other", "deploy/app"):
        (folder / each).mkdir(parents=True, exist_ok=True)
    for each in ("app/x.env", ".env", "deploy/x.env", "deploy/.env"):
        (folder / each).write_text(f"A={each}\n")
    (folder / "deploy" / name).write_text(text)
    ran = run("init", "--from", f"deploy/{name}", "-o", output)
    assert ran.code == 0, ran.err
    spec = load(folder / output, {}).services["x"]
    assert spec.working_dir == folder / place
    assert spec.environment.get("A") == (variables or None)
    assert spec.command == tuple(command.split())


def test_a_path_that_no_file_of_text_can_name_is_told_and_nothing_is_written(folder: Path, run: Run) -> None:
    place = folder / os.fsdecode(b"caf\xe9")
    place.mkdir()
    (place / "Procfile").write_text("x: x\n")
    ran = run("init", "--from", f"{place}/Procfile")
    assert (ran.code, ran.out) == (1, "")
    assert "it would have to name `caf\\udce9`, which is not UTF-8" in ran.err
    assert "hint: rename that file or directory" in ran.err
    assert not (folder / "services.yaml").exists()
    os.chdir(place)  # nothing names the directory itself
    ran = run("init", "--from", "Procfile")
    assert (ran.code, "?" in (place / "services.yaml").read_text()) == (0, False), ran.err
    assert load(place / "services.yaml", {}).services["x"].working_dir == place


def test_what_a_file_of_variables_elsewhere_would_fill_in_is_said(folder: Path, run: Run) -> None:
    (folder / "deploy").mkdir()
    (folder / "deploy" / ".env").write_text("TAG=1\n")
    (folder / "deploy" / "compose.yml").write_text("services: {x: {build: ., command: [x, '${TAG}']}}")
    assert "copy what is needed from `deploy/.env`" in run("init", "--from", "deploy/compose.yml").err
    assert "copy what" not in run("init", "--from", "deploy/compose.yml", "-o", "deploy").err
    (folder / "deploy" / "compose.yml").write_text("services: {x: {build: ., command: [x, '$${TAG}']}}")
    assert "copy what" not in run("init", "--from", "deploy/compose.yml", "--force").err


def test_a_limit_that_this_machine_does_not_allow_is_lowered_and_said(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "highest_limit", {"nofile": 20000, "core": math.inf}.get)
    (folder / "x.service").write_text("[Service]\nExecStart=/bin/x\nLimitNOFILE=65535\nLimitCORE=5000000\n")
    (folder / "y.service").write_text("[Service]\nExecStart=/bin/y\nLimitNOFILE=20000\nLimitCORE=infinity\n")
    assert run("init", "--from", "x.service", "--from", "y.service").code == 0
    services = load(folder / "services.yaml", {}).services
    assert dict(services["x"].limits) == {"nofile": 20000, "core": 5000000}
    assert dict(services["y"].limits) == {"nofile": 20000, "core": UNLIMITED}
    text = (folder / "services.yaml").read_text()
    assert text.count("is above") == 1
    assert "# `nofile: 65535` is above 20000, the most that this system allows" in text


def test_programs_that_are_not_here_are_named_once(folder: Path, run: Run) -> None:
    lines = ["a: no-such-program --port $PORT", "b: no-such-program", "c: bin/own", "d: sh -c 'no-other'"]
    (folder / "Procfile").write_text("\n".join(lines))
    said = run("init", "--from", "Procfile").err
    assert "install what is not on this machine: `no-such-program` (a, b)" in said
    assert said.count("install what") == 1
    (folder / "supervisord.conf").write_text("[program:x]\ncommand=%(ENV_PROGRAM)s x\n")
    assert "install what" not in run("init", "--from", "supervisord.conf", "--force").err
