"""The files of the package as syntax trees, each read once in a run, for the tests of the house rules."""

import ast
import functools
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "supervisor"

LEAVES = {int, str, float, complex, bytes, bool, type(None), type(...), ast.Load, ast.Store, ast.Del}
Node = TypeVar("Node", bound=ast.AST)


class Import(NamedTuple):
    """One module that `file` imports; `at_once` when that happens as soon as `file` is imported itself."""

    file: str
    line: int
    module: str
    at_once: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


@functools.cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file, which stays: the search for garbage is kept from its nodes."""
    gc.disable()
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    finally:
        gc.freeze()
        gc.enable()


def below(*trees: ast.AST) -> list[ast.AST]:
    """These nodes and all below them, as ast.walk has them, in two thirds of its time."""
    found = list(trees)
    for node in found:
        for value in vars(node).values():
            kind = type(value)
            if kind is list:
                found += [each for each in value if type(each) not in LEAVES]
            elif kind not in LEAVES:
                found.append(value)
    return found


@functools.cache
def _by_type(path: Path) -> dict[type[ast.AST], list[ast.AST]]:
    found: dict[type[ast.AST], list[ast.AST]] = {}
    for node in below(parsed(path)):
        found.setdefault(type(node), []).append(node)
    return found


def nodes(path: Path, *types: type[Node]) -> Iterator[Node]:
    """Those nodes of the syntax tree of a file that are of one of these types."""
    for each in types:
        yield from cast(list[Node], _by_type(path).get(each, []))


def docstrings(path: Path) -> set[ast.AST]:
    """The texts in a file that describe a module, a class or a function."""
    described: list[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef] = [
        *nodes(path, ast.Module), *nodes(path, ast.ClassDef), *nodes(path, ast.FunctionDef),
        *nodes(path, ast.AsyncFunctionDef),
    ]  # fmt: skip
    found = set[ast.AST]()
    for node in described:
        match node.body:
            case [ast.Expr(value=ast.Constant(value=str()) as text), *_]:
                found.add(text)
    return found


@functools.cache
def source_files(*folders: str) -> list[Path]:
    """Every Python file of these folders of the project."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@functools.cache
def files_of_package() -> frozenset[str]:
    """Every Python file of the package, by its path in it."""
    return frozenset(path.relative_to(PACKAGE).as_posix() for path in source_files("supervisor"))


@functools.cache
def every_import() -> list[Import]:
    """Every import in the package, those inside of functions too."""
    return [found for path in source_files("supervisor") for found in imports_of(path)]


def imports_of(path: Path) -> Iterator[Import]:
    """Every import in a file of the package."""
    return _imports_in(parsed(path), path.relative_to(PACKAGE).as_posix(), True)


def _imports_in(tree: ast.AST, name: str, at_once: bool) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield Import(name, node.lineno, alias.name, at_once)
            case ast.ImportFrom(module=str(module), level=0, names=names):
                yield Import(name, node.lineno, module, at_once)
                for alias in names:  # `from supervisor.core import service` imports a module too
                    if _file_of(f"{module}.{alias.name}") in files_of_package():
                        yield Import(name, node.lineno, f"{module}.{alias.name}", at_once)
            case ast.ImportFrom(level=level) if level:
                yield Import(name, node.lineno, "." * level + (node.module or ""), at_once)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _imports_in(node, name, False)
            case ast.stmt() | ast.excepthandler() | ast.match_case():
                yield from _imports_in(node, name, at_once and not is_for_types_only(node))


def is_for_types_only(node: ast.AST) -> bool:
    """Whether only type checkers run what is in there."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _file_of(module: str) -> str:
    package, *inner = module.split(".")
    return "/".join(inner) + ".py" if package == "supervisor" else ""


def files_run_by(module: str) -> list[str]:
    """The files of the package that `import module` runs: the module and every package above it."""
    parts = module.split(".")
    if parts[0] != "supervisor":
        return []
    files = ["/".join([*parts[1:end], "__init__.py"]) for end in range(1, len(parts) + 1)]
    return [file for file in (*files, _file_of(module)) if file in files_of_package()]
