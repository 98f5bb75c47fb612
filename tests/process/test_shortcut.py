"""What is found the short way is what Python finds the usual way, or nothing."""

import importlib.machinery
import os
import py_compile
import shutil
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from supervisor.process.shortcut import _Finder

ROOT = Path(__file__).parents[2]


def found(folder: Path, name: str = "supervisor.web") -> ModuleSpec | None:
    return _Finder.find_spec(name, [str(folder)])


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "web.py"
    path.write_text("VALUE = 1\n")
    py_compile.compile(str(path), doraise=True)
    return path


def test_it_is_what_python_finds(module: Path) -> None:
    spec = found(module.parent)
    usual = importlib.machinery.PathFinder.find_spec("supervisor.web", [str(module.parent)])
    assert spec is not None
    assert usual is not None
    for name in ("name", "origin", "cached", "has_location", "parent", "submodule_search_locations"):
        assert getattr(spec, name) == getattr(usual, name), name
    assert spec.loader is not None
    for _ in range(2):  # as a reload does
        assert spec.loader.get_code("supervisor.web").co_filename == str(module)  # type: ignore[attr-defined]
    assert spec.loader.get_source("supervisor.web") == "VALUE = 1\n"  # type: ignore[attr-defined]


def test_a_package_is_found_with_its_directory(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/__init__.py").write_text("")
    py_compile.compile(str(tmp_path / "web/__init__.py"), doraise=True)
    spec = found(tmp_path)
    usual = importlib.machinery.PathFinder.find_spec("supervisor.web", [str(tmp_path)])
    assert spec is not None
    assert usual is not None
    for name in ("origin", "cached", "parent", "submodule_search_locations"):
        assert getattr(spec, name) == getattr(usual, name), name


def test_a_source_that_has_changed_since_is_left_to_python(module: Path) -> None:
    module.write_text("VALUE = 1234\n")
    assert found(module.parent) is None


def test_a_source_that_is_newer_but_as_long_is_left_to_python(module: Path) -> None:
    module.write_text("VALUE = 2\n")
    os.utime(module, (1e9, 1e9))
    assert found(module.parent) is None


def test_byte_code_that_was_made_elsewhere_is_left_to_python_with_all_that_follows(
    module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Finder, "is_of_use", True)
    (tmp_path / "moved").mkdir()
    os.rename(module.parent / "__pycache__", tmp_path / "moved/__pycache__")
    os.rename(module, tmp_path / "moved/web.py")
    assert found(tmp_path / "moved") is None
    py_compile.compile(str(tmp_path / "moved/web.py"), doraise=True)
    assert found(tmp_path / "moved") is None


def test_byte_code_that_is_checked_by_its_hash_is_left_to_python(module: Path) -> None:
    py_compile.compile(str(module), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    assert found(module.parent) is None


@pytest.mark.parametrize("kept", [0, 10, 16, 40])
def test_byte_code_that_is_cut_off_is_left_to_python(module: Path, kept: int) -> None:
    (cached,) = (module.parent / "__pycache__").iterdir()
    os.truncate(cached, kept)
    assert found(module.parent) is None


def test_without_byte_code_or_source_it_is_left_to_python(module: Path) -> None:
    (cached,) = (module.parent / "__pycache__").iterdir()
    cached.unlink()
    assert found(module.parent) is None
    assert found(module.parent, "supervisor.no_such_thing") is None


def test_packages_of_others_are_left_to_python(module: Path) -> None:
    assert found(module.parent, "json.web") is None
    assert _Finder.find_spec("supervisor.web", [str(module.parent), "/elsewhere"]) is None
    assert _Finder.find_spec("supervisor", None) is None


@pytest.mark.live
@pytest.mark.parametrize(
    ("options", "variables", "finders"),
    [
        ((), {}, 1),
        (("-O",), {}, 0),  # its byte code has another name
        ((), {"PYTHONPYCACHEPREFIX": "/dev/null/nowhere"}, 0),
    ],
)
def test_the_whole_daemon_is_imported_this_way_where_byte_code_is_where_it_always_is(
    tmp_path: Path, options: tuple[str, ...], variables: dict[str, str], finders: int
) -> None:
    shutil.copytree(ROOT / "supervisor", tmp_path / "supervisor", ignore=shutil.ignore_patterns("__pycache__"))
    program = (
        "import sys; from supervisor.process import shortcut; shortcut.take()\n"
        "import asyncio, inspect, importlib, supervisor.daemon.start, supervisor.core.budget as budget\n"
        "short = [m for m in sys.modules.values() if type(getattr(m, '__loader__', 0)) is shortcut._Loader]\n"
        "print(sum(f is shortcut._Finder for f in sys.meta_path), len(short) > 150)\n"
        'assert inspect.getsource(budget).startswith(\'"""\')\n'
        "assert importlib.reload(budget) is budget\n"
        "assert supervisor.daemon.__path__ == [supervisor.daemon.__file__.rpartition('/')[0]]\n"
    )
    command = [sys.executable, *options, "-c", program]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), **variables}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for _ in range(2):  # the first time there is no byte code
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    number, is_short = done.stdout.split()
    assert (int(number), is_short) == (finders, str(bool(finders)))
