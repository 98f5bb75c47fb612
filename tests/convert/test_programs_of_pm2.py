"""Configurations of pm2 that are programs, which node runs."""

import json
from pathlib import Path

import pytest

from supervisor.cli.javascript import evaluated
from supervisor.convert.around import Around
from supervisor.convert.pm2_program import portable
from supervisor.errors import PortsupError
from tests.convert.conftest import Converted
from tests.support.needed import need_program

FORMS = {
    "a.config.js": "const n = 'a'; module.exports = {apps: [{name: n, script: `${n}.js`, args: ['-p', 1 + 1]}]}",
    "b.config.cjs": "exports.apps = ['a'].map(n => ({name: n, script: n + '.js', args: ['-p', 2]}))",
    "c.config.mjs": "const name = 'a'\nexport default {apps: [{name, script: name + '.js', args: ['-p', 2]}]}",
    "d.config.mjs": "export const apps = [Object.assign({name: 'a'}, {script: 'a.js', args: ['-p', 2]})]",
    "e.config.js": "console.log('hello {}'); module.exports = [{name: 'a', script: 'a.js', args: ['-p', 2]}]",
}


@pytest.fixture
def node() -> str:
    return need_program("node", "nodejs")


@pytest.mark.usefixtures("node")
@pytest.mark.live
@pytest.mark.parametrize("name", FORMS)
def test_node_tells_what_any_form_of_module_exports(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(FORMS[name])
    found = json.loads(evaluated(tmp_path / name, tmp_path))
    apps = found["apps"] if isinstance(found, dict) else found
    assert apps == [{"name": "a", "script": "a.js", "args": ["-p", 2]}]


@pytest.mark.usefixtures("node")
@pytest.mark.live
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("module.exports = {apps: [}", "SyntaxError"),
        ("module.exports = require('./not-there')", "Cannot find module './not-there'"),
        ("process.exit(0)", "before the file has exported anything"),
        ("module.exports = 7", "it exports no object"),
        ("module.exports = () => 7", "nothing that JSON can hold"),
    ],
)
def test_a_program_that_node_cannot_run_says_why(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "ecosystem.config.js").write_text(text)
    with pytest.raises(PortsupError) as error:
        evaluated(tmp_path / "ecosystem.config.js", tmp_path)
    assert why in error.value.why


@pytest.mark.live
def test_a_machine_without_node_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ecosystem.config.js").write_text("module.exports = {}")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PortsupError) as error:
        evaluated(tmp_path / "ecosystem.config.js", tmp_path)
    assert "no `node`" in error.value.why


def test_paths_in_the_folder_become_relative_and_others_stay() -> None:
    data = {
        "apps": [
            {"cwd": "/p", "script": "/p/a/b.js", "interpreter": "/usr/bin/node"},
            {"cwd": "/p/web", "script": "/p/web/c.js", "env_file": "/p/.env"},
            {"cwd": "/other", "script": "d.js"},
            {"script": "/p/e.js"},
        ]
    }
    assert portable(data, "/p")["apps"] == [
        {"cwd": ".", "script": "./a/b.js", "interpreter": "/usr/bin/node"},
        {"cwd": "web", "script": "./c.js", "env_file": "../.env"},
        {"cwd": "/other", "script": "d.js"},
        {"script": "./e.js"},
    ]


@pytest.mark.parametrize(
    ("instances", "replicas"), [('"max"', 4), ("0", 4), ("-1", 3), ('"-3"', 1), ("-9", 1), ("2", 2)]
)
def test_instances_by_processors_are_so_many_replicas(tmp_path: Path, instances: str, replicas: int) -> None:
    text = f'{{"apps": [{{"name": "a", "script": "a.js", "exec_mode": "cluster", "instances": {instances}}}]}}'
    result = Converted("pm2", text, tmp_path, around=Around(processors=4))
    assert result.stack.services["a"].replicas == replicas
    assert ("by its processors" in result.text) is (instances != "2")
    assert "one for each processor" not in result.left["a"]


def test_instances_by_processors_in_fork_mode_are_services(tmp_path: Path) -> None:
    text = '{"apps": [{"name": "a", "script": "a.js", "exec_mode": "fork", "instances": "max"}]}'
    result = Converted("pm2", text, tmp_path, around=Around(processors=3))
    assert list(result.stack.services) == ["a-1", "a-2", "a-3"]
