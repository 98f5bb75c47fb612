"""`portsup mcp install` as a user types it."""

import json
import shutil
from pathlib import Path

import pytest

from supervisor.errors import ExitCode
from supervisor.mcp.entry import CLIENTS
from tests.cli.conftest import Run

pytestmark = pytest.mark.live  # files of the test's own folder, and the command line


@pytest.fixture(autouse=True)
def _is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")


@pytest.mark.parametrize("client", CLIENTS)
def test_each_client_finds_it_where_it_looks(
    run: Run, own_folders: Path, monkeypatch: pytest.MonkeyPatch, client: str
) -> None:
    (own_folders / "services.yaml").write_text("services: {}\n")
    ran = run("mcp", "install", client)
    assert (ran.code, ran.out) == (0, "")
    path = own_folders / CLIENTS[client].file
    told = json.loads(path.read_text())
    assert told == {CLIENTS[client].key: {"portsup": {"type": "stdio", "command": "portsup", "args": ["mcp"]}}}
    before = path.read_bytes()
    assert "has it already" in run("mcp", "install", client).err
    (own_folders / "below").mkdir()
    monkeypatch.chdir(own_folders / "below")
    assert run("-f", "../services.yaml", "mcp", "install", client, "--replace").code == 0
    assert json.loads(path.read_text())[CLIENTS[client].key]["portsup"]["args"] == ["--file=services.yaml", "mcp"]
    assert run("mcp", "install", client, "--replace").code == 0
    assert path.read_bytes() == before


def test_what_others_have_in_the_file_stays_and_another_entry_needs_a_word(run: Run, own_folders: Path) -> None:
    path = own_folders / ".mcp.json"
    text = '{\n    "mcpServers": {\n        "b": {"command": "b"} // mine\n    }\n}\n'
    path.write_text(text)
    path.chmod(0o640)
    assert run("mcp", "install", "mcp.json", "--read-only").code == 0
    made = path.read_text()
    begin, end = text.split('        "b"')
    assert made.startswith(begin)
    assert made.endswith('        "b"' + end)
    assert '"--read-only"' in made
    assert path.stat().st_mode & 0o777 == 0o640
    ran = run("mcp", "install", "mcp.json")
    assert (ran.code, path.read_text()) == (ExitCode.FAILURE, made)
    assert "hint: `--replace`" in ran.err
    assert run("mcp", "install", "mcp.json", "--replace").code == 0
    assert "--read-only" not in path.read_text()


@pytest.mark.parametrize("content", [b"[1]", b"{", b"\xff\xfe{}"])
def test_a_file_that_cannot_be_added_to_is_left_alone(run: Run, own_folders: Path, content: bytes) -> None:
    path = own_folders / ".mcp.json"
    path.write_bytes(content)
    ran = run("mcp", "install", "claude-code")
    assert (ran.code, path.read_bytes()) == (ExitCode.FAILURE, content)
    assert 'hint: add this below `mcpServers` yourself: "portsup": {' in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["install"], "no client is named"),
        (["install", "emacs"], "invalid choice: 'emacs'"),
        (["install", "cursor", "--http"], "`--http` clients are set up in their own settings"),
        (["--replace"], "`--replace` is about `install`"),
        (["--http", "x"], "`x` are not ports"),
    ],
)
def test_what_does_not_go_together_is_said(run: Run, words: list[str], said: str) -> None:
    ran = run("mcp", *words)
    assert ran.code == ExitCode.USAGE
    assert said in ran.err


def test_without_the_extra_it_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "mcp", None)
    ran = run("mcp")
    assert ran.code == ExitCode.FAILURE
    assert f"hint: `{sys.executable} -m pip install 'portsup[mcp]'`" in ran.err
