"""`portsup init`: a file for this folder, or of another supervisor's; `config check` always takes it."""

import errno
import json
import os
import threading
from pathlib import Path

import pytest

from supervisor.cli import foreign_files
from supervisor.cli.commands import init
from supervisor.config.load import load
from supervisor.convert import recognise
from supervisor.errors import ExitCode
from tests.cli.conftest import Run
from tests.support.console import blocks


@pytest.fixture
def folder(run: Run, own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    place = own_folders / "shop"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def commands(folder: Path) -> dict[str, tuple[str, ...]]:
    """What the written file runs."""
    return {name: spec.command for name, spec in load(folder / "services.yaml", {}).services.items()}


def test_a_procfile_is_converted_and_passes_the_check(folder: Path, run: Run) -> None:
    (folder / "Procfile").write_text("web: serve --port $PORT\nworker: work\nnothing\n")
    ran = run("init", "--from", "Procfile")
    assert (ran.code, ran.out) == (0, "")
    assert "wrote `services.yaml` with 2 services" in ran.err
    assert "not carried over:\n  line 3: " in ran.err
    assert run("config", "check").code == 0
    assert commands(folder)["web"] == ("serve", "--port", "{port}")
    assert sorted(path.name for path in folder.iterdir()) == ["Procfile", "services.yaml"]


def test_nothing_is_said_of_the_value_that_stands_in_for_a_demanded_variable(folder: Path, run: Run) -> None:
    (folder / "supervisord.conf").write_text("[program:x]\ncommand=x\ndirectory=%(ENV_APP)s/app\n")
    ran = run("init", "--from", "supervisord.conf")
    assert (ran.code, "no directory" in ran.err) == (0, False)
    assert "set `APP`" in ran.err
    (folder / "supervisord.conf").write_text("[program:x]\ncommand=%(ENV_APP)s\ndirectory=app\n")
    assert "no directory `app` yet" in run("init", "--from", "supervisord.conf", "--force").err


def test_files_that_are_laid_over_each_other_are_converted_together(folder: Path, run: Run) -> None:
    (folder / "compose.yml").write_text("services: {web: {command: web, environment: {A: base}}}")
    (folder / "compose.override.yaml").write_text("services: {web: {environment: {A: mine}}, more: {command: more}}")
    (folder / "prod.yml").write_text("services: {web: {extends: {file: common.yml, service: c}, command: [prod]}}")
    (folder / "common.yml").write_text("services: {c: {environment: {C: common}}}")

    def environment(*words: str) -> dict[str, str]:
        ran = run("init", *words, "--force")
        assert ran.code == 0, ran.err
        return dict(load(folder / "services.yaml", {}).services["web"].environment)

    for words in ((), ("--from", "compose.yml")):
        assert environment(*words) == {"A": "mine"}, "as compose does by itself"
        assert list(commands(folder)) == ["web", "more"]
        assert "compose.override.yaml" in (folder / "services.yaml").read_text()
    assert environment("--from", "compose.yml", "--from", "prod.yml") == {"A": "base", "C": "common"}
    assert commands(folder) == {"web": ("prod",)}


def test_a_file_that_is_there_is_not_overwritten_without_force(folder: Path, run: Run) -> None:
    (folder / "services.yaml").write_text("mine")
    ran = run("init")
    assert ran.code == ExitCode.FAILURE
    assert "it is there already" in ran.err
    assert (folder / "services.yaml").read_text() == "mine"
    assert run("init", "--force").code == 0
    assert run("config", "check").code == 0


def test_stdout_prints_and_writes_nothing(folder: Path, run: Run) -> None:
    (folder / "services.yaml").write_text("mine")
    ran = run("init", "--stdout")
    assert ran.code == 0
    assert "services:" in ran.out
    assert (folder / "services.yaml").read_text() == "mine"


def test_the_file_to_write_is_chosen(folder: Path, run: Run) -> None:
    (folder / "deploy").mkdir()
    assert run("init", "-o", "deploy").code == 0
    assert run("init", "-o", "other.yaml").code == 0
    assert load(folder / "deploy" / "services.yaml", {}).services.keys() == {"web"}
    assert load(folder / "other.yaml", {}).services.keys() == {"web"}


def test_a_file_of_variables_that_cannot_be_read_is_left_out(folder: Path, run: Run) -> None:
    (folder / "good.env").write_text("A=1\n")
    (folder / "bad.env").write_text("no variable\n")
    text = "services: {a: {command: b, working_dir: /x, build: good.env, env_file: [good.env, bad.env, none.env]}}"
    (folder / "compose.yaml").write_text(text)
    ran = run("init", "--from", "compose.yaml")
    assert ran.code == 0, ran.err
    assert "bad.env" in ran.err
    assert "good.env`: it is not a directory" in ran.err
    assert load(folder / "services.yaml", {}).services["a"].environment["A"] == "1"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "none"), "cannot read `none`"),
        (("--from", "."), "cannot read"),
        (("--from", "notes.txt"), "--kind"),
        (("--kind", "pm2"), "--from FILE"),
        (("--stdout", "--force"), "`--stdout` writes no file"),
        (("-f", "x"), "`-o FILE`"),
        (("--from", "ecosystem.config.js"), "--from ecosystem.config.js --evaluate"),
        (("--from", "notes.txt", "--evaluate"), "it is no program"),
        (("--evaluate",), "name it: `--from FILE`"),
        (("--from", "notes.txt", "--kind", "pm2"), "it is no JSON"),
        (("-o", "no/such/folder.yaml"), "No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_said_with_a_way_out(
    arguments: tuple[str, ...], words: str, folder: Path, run: Run
) -> None:
    (folder / "notes.txt").write_text("Dear diary,\nit rained.\n")
    (folder / "ecosystem.config.js").write_text("module.exports = require('./apps').all()\n")
    ran = run("init", *arguments)
    assert ran.code in (ExitCode.FAILURE, ExitCode.USAGE)
    assert words in ran.err
    assert not (folder / "services.yaml").exists()


def test_the_kinds_of_the_option_are_those_that_there_are() -> None:
    assert init.KINDS == recognise.KINDS


# What is guessed


PACKAGE = {"scripts": {"dev": "vite", "test": "x"}}
GUESSES = [
    ({"package.json": json.dumps(PACKAGE)}, "web", "npm run dev -- --port {port}"),
    ({"package.json": json.dumps(PACKAGE), "pnpm-lock.yaml": ""}, "web", "pnpm run dev --port {port}"),
    ({"package.json": '{"scripts": {"start": "node ."}, "dependencies": {"express": "4"}}'}, "web", "npm run start"),
    ({"main.py": "app = FastAPI()\n"}, "web", "uvicorn main:app --host 127.0.0.1 --port {port}"),
    ({"app/main.py": "api: X = FastAPI(a=1)\n"}, "web", "uvicorn app.main:api --host 127.0.0.1 --port {port}"),
    ({"app.py": "shop = Flask(__name__)\n"}, "web", "flask --app app:shop run --port {port}"),
    ({"manage.py": "x"}, "web", "python manage.py runserver 127.0.0.1:{port}"),
    ({"requirements.txt": "uvicorn[standard]==0.30\n"}, "web", "uvicorn main:app --host 127.0.0.1 --port {port}"),
    ({"pyproject.toml": 'dependencies = ["flask"]'}, "web", "flask run --port {port}"),
    ({"requirements.txt": "gunicorn"}, "web", "gunicorn --bind 127.0.0.1:{port} app:app"),
    ({"Cargo.toml": "[package]"}, "server", "cargo run"),
    ({"go.mod": "module x"}, "server", "go run ."),
    ({"Gemfile": "gem 'rails'"}, "web", "bin/rails server -b 127.0.0.1 -p {port}"),
    ({"artisan": "x"}, "web", "php artisan serve --port={port}"),
    ({"index.html": "<p>"}, "web", "python3 -m http.server {port} --bind 127.0.0.1"),
    ({"frontend/package.json": json.dumps(PACKAGE)}, "frontend", "npm run dev -- --port {port}"),
    ({"Procfile": "api: serve $PORT"}, "api", "serve {port}"),
    ({"compose.yaml": "services: {db: {image: x}}", "go.mod": ""}, "server", "go run ."),
    ({"package.json": "no json", "main.py": "import streamlit"}, "web", "streamlit run main.py --server.headless true"),
    ({}, "web", "python3 -m http.server {port} --bind 127.0.0.1"),
]


@pytest.mark.parametrize(("files", "name", "command"), GUESSES)
def test_a_folder_tells_what_to_start(files: dict[str, str], name: str, command: str, folder: Path, run: Run) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    ran = run("init")
    assert ran.code == 0, ran.err
    assert " ".join(commands(folder)[name]).startswith(command)
    assert run("config", "check").code == 0
    text = (folder / "services.yaml").read_text()
    assert f"  {name}:\n    # " in text  # every guess is said in a comment


def test_several_folders_become_a_service_each(folder: Path, run: Run) -> None:
    for name, file, text in (("backend", "go.mod", "x"), ("frontend", "package.json", json.dumps(PACKAGE))):
        (folder / name).mkdir()
        (folder / name / file).write_text(text)
    (folder / "node_modules" / "x").mkdir(parents=True)
    (folder / "node_modules" / "package.json").write_text(json.dumps(PACKAGE))
    assert run("init").code == 0
    stack = load(folder / "services.yaml", {})
    assert {name: spec.working_dir.name for name, spec in stack.services.items()} == {
        "backend": "backend",
        "frontend": "frontend",
    }
    assert len({port for spec in stack.services.values() for port in spec.pool}) == 6


def test_a_folder_that_may_not_be_written_is_said(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        monkeypatch.chdir("/sys")  # root may write everywhere else
    folder.chmod(0o500)
    try:
        ran = run("init")
    finally:
        folder.chmod(0o700)
    assert ran.code == ExitCode.FAILURE
    assert "Permission denied" in ran.err or "Read-only" in ran.err


def test_it_needs_no_hard_links_and_leaves_no_half_of_a_file(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAT, some shares and the folders that a phone shows have none."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert run("init")[0] == 0
    assert [path.name for path in folder.iterdir()] == ["services.yaml"]
    (folder / "services.yaml").unlink()

    def is_full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", is_full)
    code, _, said = run("init")
    assert (code, "No space left on device" in said) == (1, True)
    assert list(folder.iterdir()) == []


def test_the_how_to_shows_what_is_written(folder: Path, run: Run) -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "come-from-another-supervisor.md"
    source, shown = [block.body for block in blocks(page.read_text(encoding="utf-8"))][:2]
    (folder / "Procfile").write_text(source)
    written = run("init", "--from", "Procfile", "--stdout").out
    assert written.partition("\n\n")[2] == shown


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_read_to_its_end(folder: Path, run: Run) -> None:
    os.mkfifo(folder / "pipe")
    writer = os.open(folder / "pipe", os.O_RDWR)  # there, and silent: what a slow `<(command)` looks like

    def write() -> None:
        os.write(writer, b"web: serve\n")
        os.close(writer)

    slow = threading.Timer(0.2, write)
    slow.start()
    ran = run("init", "--from", "pipe", "--kind", "procfile", "--stdout")
    slow.join()
    assert (ran.code, "command: [serve]" in ran.out) == (0, True), ran.err


def test_what_is_too_long_is_refused_from_stdin_too(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "long").write_text("web: serve\n" + "#" * foreign_files.LARGEST)
    with open(tmp_path / "long") as long:
        monkeypatch.setattr("sys.stdin", long)
        ran = run("init", "--from", "-", "--kind", "procfile", "--stdout")
    assert (ran.code, "it is larger than 1 MiB" in ran.err) == (1, True)


def test_a_name_that_no_file_can_have_is_told(folder: Path, run: Run) -> None:
    ran = run("init", "-o", "x" * 300)
    assert (ran.code, "File name too long" in ran.err) == (1, True)
