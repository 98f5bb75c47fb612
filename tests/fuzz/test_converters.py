"""Files of other supervisors: a stack comes of them that portsup reads, or words on why not."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.load import load
from supervisor.convert.emit import document
from supervisor.convert.recognise import convert, kind_of
from supervisor.convert.reconcile import reconcile
from supervisor.errors import ConfigError, PortsupError
from tests.fuzz.trees import SCALARS, TREES
from tests.support.budget import budget, tries

FILES = Path(__file__).parents[1] / "convert" / "files"
GOOD = {
    "procfile": "Procfile", "supervisord": "supervisord.conf", "compose": "docker-compose.yml",
    "process-compose": "process-compose.yaml", "pm2": "ecosystem.config.json",
}  # fmt: skip
KINDS = pytest.mark.parametrize("kind", GOOD)
TOP = {"compose": "services", "process-compose": "processes", "pm2": "apps"}
KEYS = {
    "compose": ("command", "entrypoint", "ports", "environment", "env_file", "depends_on", "healthcheck", "restart",
                "stop_signal", "stop_grace_period", "deploy", "profiles", "user", "working_dir", "ulimits"),
    "process-compose": ("command", "entrypoint", "depends_on", "readiness_probe", "liveness_probe", "availability",
                        "shutdown", "environment", "replicas", "working_dir", "disabled", "namespace"),
    "pm2": ("script", "args", "env", "cwd", "instances", "interpreter", "max_restarts", "kill_timeout", "name",
            "exec_mode", "watch", "cron_restart", "autorestart", "node_args"),
}  # fmt: skip
WORDS = st.sampled_from(
    ["${A}", "${A:-b c}", "$PORT", "$$", "8000:80", "a && b", "'", '"', "%(ENV_X)s", "%(", "10s", "always", "x" * 300]
)
VALUES = TREES | WORDS | st.lists(WORDS | SCALARS, max_size=3)


def only_a_stack_or_an_error(kind: str, text: str, folder: Path) -> None:
    try:
        outcome = convert(kind, "the file", text)
        reconcile(outcome, range(32768, 61000), lambda path, is_folder: "")
    except PortsupError:
        return
    made = document(["made"], "", outcome.services, map(str, outcome.left))
    with contextlib.suppress(ConfigError):  # what portsup does not let through: `init` says so, and writes no file
        load(folder / "services.yaml", {}, ephemeral=(), text=made)


@KINDS
@tries(7, 3000)
@given(st.data())
def test_a_good_file_with_holes_and_additions(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    text = (FILES / GOOD[kind]).read_text(encoding="utf-8")
    edits = st.tuples(st.integers(0, len(text)), st.integers(0, 12), st.text(max_size=4))
    for at, cut, more in data.draw(st.lists(edits, min_size=1, max_size=4)):
        text = text[:at] + more + text[at + cut :]
    only_a_stack_or_an_error(kind, text, tmp_path)


@KINDS
@tries(6, 2000)
@given(st.text(alphabet="abA:=[]{}-%$()'\"\\#\n\t ;,&|<>1", max_size=120) | st.text(max_size=80))
def test_any_text(tmp_path: Path, kind: str, text: str) -> None:
    only_a_stack_or_an_error(kind, text, tmp_path)
    with contextlib.suppress(PortsupError):
        kind_of("some.file", text)


@pytest.mark.parametrize("kind", TOP)
@tries(7, 4000)
@given(st.data())
def test_any_values_of_the_keys_that_are_carried_over(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    service = data.draw(st.dictionaries(st.sampled_from(KEYS[kind]), VALUES, max_size=6))
    content: Any = {**service, "name": "web"} if kind == "pm2" else {"web": service, "db": {"command": "db"}}
    top = {TOP[kind]: [content] if kind == "pm2" else content}
    write: Callable[[Any], str] = json.dumps if kind == "pm2" else yaml.safe_dump
    only_a_stack_or_an_error(kind, write(top), tmp_path)


PROGRAM = ("command", "environment", "numprocs", "process_name", "autorestart", "startsecs", "stopsignal", "user",
           "directory", "umask", "priority", "stdout_logfile", "exitcodes", "stopwaitsecs")  # fmt: skip


@tries(10, 6000)
@given(st.dictionaries(st.sampled_from(PROGRAM), WORDS | st.text(max_size=20) | st.integers().map(str), max_size=6))
def test_any_values_of_a_program_of_supervisord(tmp_path: Path, values: dict[str, str]) -> None:
    lines = [f"{key}={value}" for key, value in {"command": "web", **values}.items()]
    only_a_stack_or_an_error("supervisord", "\n".join(["[program:web]", *lines]), tmp_path)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", GOOD)
def test_a_large_file_takes_bounded_time(tmp_path: Path, kind: str) -> None:
    size = budget(200, 100_000)
    for text in ("[" * size, "a: " * size, "x: $(" * size, "'" * size, "${A:-" * size, "[program:a]\n" * size):
        only_a_stack_or_an_error(kind, text, tmp_path)
