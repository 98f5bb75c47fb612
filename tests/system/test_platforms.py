"""Every system keeps the whole contract; mypy looks at the types of all of them, `make lint`."""

import ast
from pathlib import Path

import pytest

from supervisor import system
from supervisor.system.protocol import System
from tests.support.source import nodes, parsed, source_files

FOLDER = Path(system.__file__).parent


def defined_in(name: str) -> dict[str, ast.AST]:
    """What a module of the folder has at its top, imported or defined; what comes last counts."""
    found: dict[str, ast.AST] = {}
    for node in parsed(FOLDER / f"{name}.py").body:
        match node:
            case ast.FunctionDef(name=function):
                found[function] = node
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), body=later):
                for each in later:
                    if isinstance(each, ast.ImportFrom) and each.module and each.names[0].name == "*":
                        found |= defined_in(each.module.rpartition(".")[2])
            case ast.ImportFrom(module=str(module), names=[ast.alias(name="*")]):
                found |= defined_in(module.rpartition(".")[2])
            case ast.ImportFrom(names=names):
                found |= {alias.asname or alias.name: node for alias in names}
            case ast.Assign(targets=[ast.Name(id=target)]) | ast.AnnAssign(target=ast.Name(id=target)):
                found[target] = node
    return found


def plain(arguments: ast.arguments) -> str:
    """As they are written, whether their types are in quotes or not."""
    return ast.unparse(arguments).replace("'", "")


def contract() -> set[str]:
    parts = [part for part in System.__mro__ if part.__module__.startswith("supervisor.system.")]
    found = {name for part in parts for name in (*vars(part), *part.__annotations__)}
    return {name for name in found if not name.startswith("_")}


def test_the_contract_says_what_each_function_is_for() -> None:
    functions = [getattr(System, name) for name in contract() if hasattr(System, name)]
    assert [function.__name__ for function in functions if not function.__doc__] == []
    assert len(functions) > 60


@pytest.mark.parametrize("module", ["linux_all", "plain_posix", "darwin", "windows"])
def test_a_system_has_every_function_of_the_contract(module: str) -> None:
    assert len(contract()) > 60
    assert sorted(contract() - defined_in(module).keys()) == []


@pytest.mark.parametrize("module", ["plain_posix", "darwin", "windows"])
def test_a_function_takes_the_same_arguments_on_every_system(module: str) -> None:
    ours = defined_in("linux_all")
    for name, theirs in defined_in(module).items():
        mine = ours.get(name)
        if isinstance(mine, ast.FunctionDef) and isinstance(theirs, ast.FunctionDef) and name in contract():
            assert plain(theirs.args) == plain(mine.args), name


def test_what_is_asked_of_the_system_is_in_the_contract() -> None:
    asked = set()
    for path in source_files("supervisor"):
        if path.parent != FOLDER:
            for node in nodes(path, ast.Attribute):
                match node:
                    case ast.Attribute(value=ast.Name(id="system"), attr=name):
                        asked.add(name)
    values = {"Departures", "Identity", "Listener", "Watch", "WatchEvent", "WatchKind"}
    assert sorted(asked - contract() - values) == []


def test_what_psutil_tells_agrees_with_what_linux_tells() -> None:
    pytest.importorskip("psutil")
    import os

    from supervisor.system import portable

    assert portable.process_user(os.getpid()) == system.process_user(os.getpid())
    assert portable.process_command(os.getpid()) == system.process_command(os.getpid())
    me = portable.identity_of(os.getpid())
    assert me is not None
    assert portable.is_alive(me)
    assert not portable.is_alive(system.Identity(me.pid, me.start_time - 5))


def test_the_numbers_of_signals_are_those_of_this_system() -> None:
    import signal

    assert (system.SIGKILL, system.SIGCONT, system.SIGCHLD) == (signal.SIGKILL, signal.SIGCONT, signal.SIGCHLD)
