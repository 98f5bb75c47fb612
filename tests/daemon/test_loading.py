"""What a stack needs while it runs is loaded before it is needed, and not before somebody waits for the start."""

import ast
import asyncio
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from supervisor.config.load import load_asked
from supervisor.daemon import loading
from tests.support.source import PACKAGE

NEEDS = {
    "watch: .": "supervisor.daemon.automatic.watches",
    "one_shot: true, schedule: 0 3 * * *": "supervisor.daemon.automatic.schedules",
    "hooks: {post_stop: 'true'}": "supervisor.daemon.service.hooks",
    "pool: 21000-21002, ready: {http: {path: /, contains: ok}}": "http.client",
    "pool: 21000-21002, ready: {http: /}": "",
}
OF_THE_STACK = {
    "names: {port: 1355}": "supervisor.daemon.automatic.names",
    "notify: {run: 'true'}": "supervisor.daemon.automatic.notices",
}


def lazily_imported(file: str) -> set[str]:
    """The modules of the daemon that functions of a file import."""
    tree = ast.parse((PACKAGE / file).read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    found = set()
    for node in (inner for function in functions for inner in ast.walk(function) if isinstance(inner, ast.ImportFrom)):
        names = {f"{node.module}.{alias.name}" for alias in node.names}
        found |= {each for each in names if (PACKAGE.parent / f"{each.replace('.', '/')}.py").exists()}
        found |= {str(node.module)} if (PACKAGE.parent / f"{str(node.module).replace('.', '/')}.py").exists() else set()
    return {each for each in found if each.startswith("supervisor.daemon.")}


def test_each_part_that_comes_late_is_loaded_before_it_is_needed() -> None:
    parts = lazily_imported("daemon/automatic/automatic.py") | lazily_imported("daemon/service/world.py")
    in_a_child = {"supervisor.daemon.service.resources"}
    assert parts - in_a_child == lazily_imported("daemon/loading.py")
    assert parts - in_a_child == {each for each in (*NEEDS.values(), *OF_THE_STACK.values()) if "daemon" in each}


@pytest.mark.live
@pytest.mark.parametrize(("key", "module"), [*NEEDS.items(), *OF_THE_STACK.items()])
def test_what_a_key_needs_is_loaded_for_those_who_have_it(tmp_path: Path, key: str, module: str) -> None:
    top, own = (key, "") if key in OF_THE_STACK else ("", f", {key}")
    (tmp_path / "services.yaml").write_text(f"name: t\n{top}\nservices:\n  web: {{command: sleep 1{own}}}\n")
    every = sorted({each for each in (*NEEDS.values(), *OF_THE_STACK.values()) if each})
    script = (
        "import pickle, sys\n"
        "spec = pickle.load(sys.stdin.buffer)\n"
        "from supervisor.daemon.loading import load_for\n"
        f"before = set(sys.modules)\nload_for(spec)\nprint(*(set({every}) & set(sys.modules) - before))"
    )
    spec = pickle.dumps(load_asked([str(tmp_path / "services.yaml")], {}))
    done = subprocess.run([sys.executable, "-c", script], input=spec, capture_output=True, check=False)
    assert (done.returncode, done.stdout.decode().strip(), done.stderr) == (0, module, b"")


def test_what_cannot_be_loaded_when_a_start_is_over_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Any] = []

    def load(spec: Any) -> None:
        tried.append(spec)
        if len(tried) == 1:
            raise OSError(12, "Cannot allocate memory")
        if len(tried) == 2:
            raise ImportError("cannot open shared object file")

    monkeypatch.setattr(loading, "load_for", load)
    monkeypatch.setattr(loading, "SETTLED_AGAIN", 0.0)

    async def main() -> None:
        specs: Any = iter((1, 2, 3))
        loading.settle(asyncio.get_running_loop(), lambda: next(specs))
        while len(tried) < 3:
            await asyncio.sleep(0)

    asyncio.run(main())
    assert tried == [1, 2, 3]
