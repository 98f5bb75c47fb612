"""The house rules that a reader of one file cannot see: who imports whom, and what stands in one place only."""

import ast
import re
import statistics
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.source import (
    PACKAGE,
    ROOT,
    Import,
    every_import,
    files_of_package,
    files_run_by,
    is_for_types_only,
    nodes,
    parsed,
    source_files,
)

# A folder imports those with a smaller number, and itself.
LAYERS = {
    "core": 0,
    "files": 0,
    "config": 1,
    "system": 1,
    "words": 2,
    "ports": 3,
    "process": 3,
    "logs": 3,
    "control": 3,
    "convert": 3,
    "daemon": 4,
    "doctor": 4,
    "api": 5,
    "cluster": 6,
    "export": 6,
    "web": 6,
    "tui": 6,
    "mcp": 6,
    "names": 6,
    "cli": 7,
}
EVERYWHERE = {"annotations", "dataclass", "errors"}  # below every layer
FACES = {"__init__.py", "__main__.py"}  # the public face of the package, above every layer

# What one place alone imports, so that it can be changed there.
ONLY_IN = {
    "dataclasses": r"dataclass\.py|api/.*|control/schema\.py",  # it compiles at each import
    "asyncio": r"daemon/.*|control/(connection|listener|reply|server)\.py|ports/asynchronous\.py|web/.*"
    r"|mcp/bridge/tally\.py",
    "watchfiles": r"daemon/automatic/file_watcher\.py",
    "pathspec": r"daemon/automatic/file_watcher\.py",
    "cronsim": r"config/schedules\.py",
    "tzlocal": r"config/schedules\.py",
    "ray": r"cluster/engine\.py",
    "portalocker": r"system/windows\.py",
    "psutil": r"system/.*",
    "shtab": r"cli/.*",
    "anyio": r"mcp/.*|cli/commands/mcp\.py",
    "mcp": r"mcp/.*|cli/commands/mcp\.py",
    "mcp_types": r"mcp/.*",
    "starlette": r"(mcp|web)/.*|cli/commands/web\.py",
    "uvicorn": r"(mcp|web)/.*|cli/commands/web\.py",
    "textual": r"tui/.*|cli/commands/top\.py",
    "rich": r"tui/.*",
    "structlog": r"logs/journal\.py",
    "yaml": r"config/.*",
}
# What `portsup status` must not wait for: each costs more than all that it does.
SLOW = {
    "asyncio", "concurrent", "ctypes", "http", "psutil", "shtab", "structlog", "subprocess", "urllib", "yaml",
    "anyio", "cronsim", "mcp", "mcp_types", "pydantic", "ray", "rich", "starlette", "pathspec", "textual", "tzlocal",
    "uvicorn", "watchfiles",
}  # fmt: skip
VAGUE = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}


def folder_of(file: str) -> str:
    return file.split("/")[0].removesuffix(".py")


def test_every_folder_of_the_package_has_its_layer() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/*.py")}
    assert folders <= LAYERS.keys()


def test_a_layer_imports_only_those_below_it() -> None:
    wrong = []
    for found in every_import():
        if not found.module.startswith("supervisor.") or found.file in FACES:
            continue
        importer, imported = folder_of(found.file), found.module.split(".")[1]
        if imported in EVERYWHERE or imported == importer:
            continue
        if importer in EVERYWHERE or imported not in LAYERS or LAYERS[imported] >= LAYERS[importer]:
            wrong.append(str(found))
    assert wrong == []


def test_no_files_import_one_another() -> None:
    """What only type checkers see counts as well.

    A package does not count where a module of it is imported: what it passes on is for those outside.
    """
    imported: dict[str, set[str]] = {}
    for found in every_import():
        name = found.module.removeprefix("supervisor.").replace(".", "/")
        target = next((file for file in (f"{name}.py", f"{name}/__init__.py") if file in files_of_package()), "")
        is_own_package = target.endswith("__init__.py") and found.file.startswith(f"{name}/")
        if found.module.startswith("supervisor.") and target and not is_own_package:
            imported.setdefault(found.file, set()).add(target)
    left = dict(imported)
    while free := [file for file, needs in left.items() if not needs & left.keys()]:
        for file in free:
            del left[file]
    assert left == {}


def test_a_constructor_takes_six_parameters_at_most() -> None:
    """What programs that use the library give by name alone does not count."""
    wrong = []
    for path in source_files("supervisor"):
        for each in nodes(path, ast.FunctionDef):
            if each.name == "__init__":
                count = len(each.args.args) + len(each.args.kwonlyargs) - 1
                if path.name == "library.py":
                    count -= len(each.args.kwonlyargs)
                if count > 6:
                    wrong.append(f"{path.relative_to(PACKAGE)}:{each.lineno} takes {count}")
    assert wrong == []


def test_no_import_goes_round_in_a_circle() -> None:
    """Those inside of functions count as well; what only type checkers see does not."""
    graph = {path.relative_to(PACKAGE).as_posix(): set(imported_files(path)) for path in source_files("supervisor")}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None


def imported_files(path: Path) -> Iterator[str]:
    """The files of the package whose names a file takes: a module rather than the package that it is in."""
    unseen = {inner for node in nodes(path, ast.If) if is_for_types_only(node) for inner in ast.walk(node)}
    for node in nodes(path, ast.ImportFrom):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if node not in unseen and module.startswith(
                "supervisor"
            ):
                folder = "/".join(module.split(".")[1:])
                for alias in names:
                    inner = f"{folder}/{alias.name}".strip("/")
                    found = (f"{inner}.py", f"{inner}/__init__.py", f"{folder}.py", f"{folder}/__init__.py")
                    yield next((each for each in found if each in files_of_package()), "__init__.py")


def test_only_up_knows_the_daemon() -> None:
    users = {found.file for found in every_import() if found.module.startswith("supervisor.daemon")}
    allowed = {f"cli/commands/{name}.py" for name in ("exec", "lease", "up")}
    assert {user for user in users if folder_of(user) != "daemon"} <= allowed


@pytest.mark.parametrize("face", ["mcp", "names", "tui", "web"])
def test_a_face_is_a_client_of_the_library_alone(face: str) -> None:
    allowed = {"api", "core", "words", *EVERYWHERE, face}
    wrong = [
        found for found in every_import()
        if folder_of(found.file) == face and found.module.startswith("supervisor.")
        and found.module.split(".")[1] not in allowed
    ]  # fmt: skip
    assert list(map(str, wrong)) == []


def test_imports_name_the_whole_module() -> None:
    assert [str(found) for found in every_import() if found.module.startswith(".")] == []


@pytest.mark.parametrize("module", ONLY_IN)
def test_this_module_is_imported_in_one_place_only(module: str) -> None:
    place = re.compile(ONLY_IN[module])
    users = [found for found in every_import() if found.module.split(".")[0] == module]
    assert [str(found) for found in users if not place.fullmatch(found.file)] == []


def test_only_the_contract_of_the_system_asks_which_system_this_is() -> None:
    wrong = []
    for path in source_files("supervisor"):
        name = path.relative_to(PACKAGE).as_posix()
        for node in nodes(path, ast.Attribute):
            match node:
                case ast.Attribute(value=ast.Name(id=module), attr=attribute):
                    asks = (module, attribute) in {("sys", "platform"), ("os", "name"), ("platform", "system")}
                    if asks and not name.startswith("system/"):
                        wrong.append(f"{name}:{node.lineno}")
    assert wrong == []


def test_the_quick_commands_import_nothing_slow() -> None:
    by_file: dict[str, list[Import]] = {}
    for found in every_import():
        if found.at_once:
            by_file.setdefault(found.file, []).append(found)
    waiting, seen, slow = ["cli/main.py", "control/client.py"], set[str](), []
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for found in by_file.get(file, []):
            # Measured by nobody, and without a lighter way.
            if any(f"/{name}" in found.file for name in ("windows", "darwin", "plain_posix")):
                continue
            if found.module.split(".")[0] in SLOW:
                slow.append(str(found))
            waiting += files_run_by(found.module)
    assert slow == []


def test_files_are_short_and_folders_of_the_daemon_small() -> None:
    lengths = [len(path.read_text(encoding="utf-8").splitlines()) for path in source_files("supervisor")]
    assert statistics.median(lengths) < 110
    folders = {path for path in (PACKAGE / "daemon").rglob("*") if list(path.glob("*.py"))} | {PACKAGE / "daemon"}
    assert {str(each): len(list(each.glob("*.py"))) for each in folders if len(list(each.glob("*.py"))) > 15} == {}


@pytest.mark.parametrize("folder", ["supervisor", "examples", "benchmarks", ".ci", "tests"])
def test_a_long_file_says_why_on_top(folder: str) -> None:
    silent = []
    for path in source_files(folder):
        text = path.read_text(encoding="utf-8")
        lines = text.count("\n")
        if lines > 300 and "300 lines" not in text.partition('"""\n')[0]:
            silent.append(f"{path.relative_to(ROOT)} has {lines} lines")
    assert silent == []


def test_every_module_says_what_it_is() -> None:
    files = source_files("supervisor", "examples", "benchmarks", ".ci")
    trees = {path.relative_to(ROOT).as_posix(): parsed(path) for path in files}
    assert [name for name, tree in trees.items() if tree.body and not ast.get_docstring(tree)] == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in source_files("supervisor") if path.stem in VAGUE] == []


# Who changes files otherwise than by files/replacement.py: what only grows, names that move, descriptors that are open.
WRITERS = {
    "files/replacement.py", "logs/rotation.py", "ports/folders.py", "cli/main.py", "export/reference.py",
    "config/reference.py",
}  # fmt: skip
WRITING = {"write_text", "write_bytes", "copyfile", "copy2", "copytree", "mkstemp", "NamedTemporaryFile"}
MOVING = {"replace", "rename", "renames", "link", "symlink", "truncate"}


def writes_a_file(node: ast.AST) -> bool:
    """Whether this puts content under a name, as far as can be seen: whole or not at all is promised of each file."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name)) if name in WRITING:
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="os" | "shutil"), attr=name)) if name in MOVING:
            return True
        case ast.Call(func=ast.Name(id="open") | ast.Attribute(attr="open"), args=args, keywords=keywords):
            modes = [*args[:2], *(each.value for each in keywords if each.arg == "mode")]
            if any(isinstance(each, ast.Attribute) and each.attr == "devnull" for each in args[:1]):
                return False
            words = [each.value for each in modes if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            return any(re.fullmatch(r"[rwaxbt+]{1,3}", word) and set(word) & set("wax+") for word in words)
    return False


def test_files_are_written_in_one_way() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in source_files("supervisor")
        for node in nodes(path, ast.Call)
        if writes_a_file(node)
    }
    assert found == WRITERS
