"""The servers of MCP in the files of the clients that start them."""

import json
from pathlib import Path

import pytest

from supervisor.config.load import load
from supervisor.config.spec import Share, Start, Stdio
from supervisor.convert.around import Around
from supervisor.convert.emit import document
from supervisor.convert.mcp_json import convert
from supervisor.convert.recognise import kind_of
from supervisor.convert.reconcile import reconcile
from supervisor.errors import PortsupError, UsageError

CLAUDE = """{"mcpServers": {
  "files": {"type": "stdio", "command": "npx", "args": ["-y", "server-files", "${HOME}/docs", "a$b{c}"],
            "env": {"KEY": "${KEY}", "MODE": "${MODE:-fast}", "PORT": "9", "PORTSUP_X": "1"}},
  "portsup": {"command": "/usr/bin/portsup", "args": ["mcp"]},
  "far": {"type": "http", "url": "https://mcp.example.com", "headers": {"A": "b"}},
  "none": {"args": ["x"]}
}}"""
CURSOR = """{"mcpServers": {"py": {
  "command": "python", "args": ["${workspaceFolder}/srv.py", "${env:TOKEN}", "${userHome}${/}x"],
  "envFile": "${workspaceFolder}/.env", "autoApprove": ["add"]
}}}"""
VSCODE = """{
  // what the servers need
  "inputs": [{"type": "promptString", "id": "api-key", "password": true}],
  "servers": {
    "web": {"command": "uvx", "args": ["srv", "http://x//y", "/* no comment */"], "env": {"KEY": "${input:api-key}"},},
    "off": {"command": "x", "args": ["${command:pick}"], "disabled": true, "cwd": "sub"}, /* one more */
  },
}"""


ZED = """// settings of the folder
{"theme": "One", "context_servers": {
  "new": {"source": "custom", "command": "npx", "args": ["-y", "a"], "env": {"K": "v"}},
  "old": {"command": {"path": "uvx", "args": ["b"], "env": null}, "settings": {}},
  "extension": {"source": "extension", "settings": {"token": "x"}},
  "older-extension": {"enabled": true, "remote": false, "settings": {}},
}}"""
WINDSURF = """{"mcpServers": {"far": {"serverUrl": "https://mcp.example.com/sse"},
  "near": {"command": "npx", "args": ["c"]}}}"""
SETTINGS = """{"editor.tabSize": 2, "mcp": {"inputs": [{"id": "key"}], "servers": {
  "d": {"command": "d", "args": ["${input:key}"]}
}}}"""
OPENCODE = """{"$schema": "x", "mcp": {
  "here": {"type": "local", "command": ["npx", "-y", "e"], "environment": {"K": "{env:KEY}"}, "enabled": false},
  "far": {"type": "remote", "url": "https://mcp.example.com"}
}}"""
CODEX = """model = "o"
[mcp_servers.f]
command = "npx"
args = ["-y", "f"]
startup_timeout_sec = 20
[mcp_servers.f.env]
K = "v"
"""


@pytest.mark.parametrize(
    ("name", "text", "services", "left"),
    [
        (".zed/settings.json", ZED, {"new": ["npx", "-y", "a"], "old": ["uvx", "b"]},
         ["server `extension`", "server `older-extension`"]),
        ("mcp_config.json", WINDSURF, {"near": ["npx", "c"]}, ["server `far`"]),
        (".vscode/settings.json", SETTINGS, {"d": ["d", "${KEY:?the server needs it}"]}, ["input `key`"]),
        ("opencode.json", OPENCODE, {"here": ["npx", "-y", "e"]}, ["server `far`"]),
        (".codex/config.toml", CODEX, {"f": ["npx", "-y", "f"]}, []),
    ],
)
def test_each_client_has_its_own_form(name: str, text: str, services: dict[str, list[str]], left: list[str]) -> None:
    assert kind_of(name, text) == "mcp.json"
    outcome = convert(text)
    assert {draft.name: draft.fields["command"] for draft in outcome.services} == services
    assert [each.what for each in outcome.left] == left


def test_variables_and_switches_of_a_client_are_carried_over() -> None:
    (new, old), (here,), (codex,) = convert(ZED).services, convert(OPENCODE).services, convert(CODEX).services
    assert (new.environment, old.environment, codex.environment) == ({"K": "v"}, {}, {"K": "v"})
    assert (here.environment, here.fields["autostart"]) == ({"K": "${KEY:?the server needs it}"}, False)
    assert [each.what for each in (*new.left, *old.left, *here.left)] == ["`settings`"]
    assert [each.what for each in codex.left] == ["`startup_timeout_sec`"]


def test_values_of_json_that_are_no_texts_stay_what_they_are() -> None:
    given = '{"mcpServers": {"a": {"command": "x", "env": {"ON": true, "N": 5, "NONE": null, "LIST": [1]}}}}'
    (made,) = convert(given).services
    assert made.environment == {"ON": "true", "N": "5", "LIST": "[1]"}


@pytest.mark.parametrize(
    ("key", "why"), [("mcpServers", "it has no command"), ("context_servers", "an extension of Zed has it")]
)
def test_only_zed_has_servers_of_its_extensions(key: str, why: str) -> None:
    (left,) = convert(f'{{"{key}": {{"a": {{}}}}}}').left
    assert left.why == why


def test_settings_of_an_editor_without_servers_are_refused_by_name() -> None:
    with pytest.raises(UsageError, match="a file of settings of an editor"):
        kind_of(".zed/settings.json", '{"lsp": {}}')


@pytest.mark.parametrize(
    ("name", "text"),
    [(".mcp.json", CLAUDE), (".cursor/mcp.json", CURSOR), (".vscode/mcp.json", VSCODE), ("servers.json", CLAUDE)],
)
def test_the_files_of_the_clients_are_known(name: str, text: str) -> None:
    assert kind_of(name, text) == "mcp.json"


def test_servers_that_are_started_become_services_and_others_stay(tmp_path: Path) -> None:
    outcome = convert(CLAUDE)
    reconcile(outcome, (), lambda *_: "")
    file = tmp_path / "services.yaml"
    stack = load(file, {"HOME": "/h", "KEY": "k-secret"}, text=document([], "", outcome.services), ephemeral=())
    (spec,) = stack.services.values()
    assert (spec.name, spec.command) == ("files", ("npx", "-y", "server-files", "/h/docs", "a$b{c}"))
    assert (spec.stdio, spec.start, len(spec.pool)) == (Stdio(share=Share.ONE), Start.ON_CONNECT, 3)
    assert dict(spec.environment) == {"KEY": "k-secret", "MODE": "fast"}
    assert [left.what for left in outcome.left] == ["server `portsup`", "server `far`", "server `none`"]
    assert [left.what for left in outcome.services[0].left] == ["variable `PORT`", "variable `PORTSUP_X`"]


def test_what_cursor_fills_in_is_filled_in_here() -> None:
    (draft,) = convert(CURSOR).services
    assert draft.fields["command"] == ["python", "./srv.py", "${TOKEN:?the server needs it}", "${HOME}/x"]
    assert draft.fields["env_file"] == [{"path": "./.env", "required": True}]
    assert [left.what for left in draft.left] == ["`autoApprove`"]


def test_comments_commas_and_inputs_of_vs_code_are_read() -> None:
    outcome = convert(VSCODE)
    web, off = outcome.services
    assert web.fields["command"] == ["uvx", "srv", "http://x//y", "/* no comment */"]
    assert web.environment == {"KEY": "${API_KEY:?the server needs it}"}
    assert (off.fields["autostart"], off.fields["working_dir"]) == (False, "sub")
    assert "only the client knows" in off.left[0].why
    assert [(left.what, left.remedy) for left in outcome.left] == [("input `api-key`", "set `API_KEY` in `.env`")]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"servers": []}', '{"a": {}}', '"x"'])
def test_what_is_no_such_file_is_told(text: str) -> None:
    with pytest.raises(PortsupError, match=r"cannot (read|convert) the file"):
        convert(text)


@pytest.mark.parametrize(("command", "args"), [("cmd", ["/c", "npx", "-y", "a"]), ("npx.cmd", ["-y", "a"])])
def test_what_only_windows_needs_around_a_program_is_left_out(command: str, args: list[str]) -> None:
    text = json.dumps({"mcpServers": {"a": {"command": command, "args": args}}})
    (made,) = convert(text, Around(system="linux")).services
    assert made.fields["command"] == ["npx", "-y", "a"]
    (made,) = convert(text, Around(system="windows")).services
    assert made.fields["command"] == [command, *args]
