"""Every system keeps the whole contract."""

import ast
from pathlib import Path

import pytest

from supervisor import system
from supervisor.system.contract import Listener, SignalQueue, Watch, WatchEvent, WatchKind

FOLDER = Path(system.__file__).parent
TYPES = {"Connection", "Departures", "Identity", "Listener", "SignalQueue", "Usage", "Watch", "WatchEvent", "WatchKind"}


def defined_in(name: str) -> dict[str, ast.AST]:
    """What a module of the folder has at its top, imported or defined."""
    found: dict[str, ast.AST] = {}
    for node in ast.parse((FOLDER / f"{name}.py").read_text()).body:
        match node:
            case ast.FunctionDef(name=function):
                found[function] = node
            case ast.ImportFrom(names=names):
                found |= {alias.asname or alias.name: node for alias in names}
            case ast.Assign(targets=[ast.Name(id=target)]) | ast.AnnAssign(target=ast.Name(id=target)):
                found[target] = node
    return found


@pytest.mark.parametrize(
    "modules",
    [
        ("beneath", "departures", "linux", "linux_namespace", "linux_origin", "linux_sockets", "linux_usage", "posix"),
        ("darwin", "posix"),
        ("windows",),
    ],
)
def test_a_system_has_every_function_of_the_contract(modules: tuple[str, ...]) -> None:
    there = set().union(*(defined_in(module) for module in modules))
    assert set(system.__all__) - TYPES <= there


@pytest.mark.parametrize("other", ["darwin", "windows", "portable"])
def test_a_function_takes_the_same_arguments_on_every_system(other: str) -> None:
    ours = defined_in("linux") | defined_in("linux_namespace") | defined_in("linux_sockets") | defined_in("posix")
    for name, theirs in defined_in(other).items():
        mine = ours.get(name)
        if isinstance(mine, ast.FunctionDef) and isinstance(theirs, ast.FunctionDef) and name in system.__all__:
            assert ast.unparse(theirs.args) == ast.unparse(mine.args), name
            assert ast.unparse(theirs.returns or ast.Constant(None)) == ast.unparse(mine.returns or ast.Constant(None))


def test_the_values_are_the_same_everywhere() -> None:
    assert {Listener.__name__, SignalQueue.__name__, Watch.__name__, WatchEvent.__name__, WatchKind.__name__} < TYPES


def test_lsof_is_read_field_by_field() -> None:
    pytest.importorskip("psutil")
    from supervisor.system.darwin import _parse_lsof

    output = "p412\nLada\nf21\ntIPv4\nn127.0.0.1:6000\nf22\ntIPv6\nn[::1]:6000\np7\nf3\ntIPv4\nn*:7000\nn*:*\n"
    found = [(one.pid, one.port, one.address, int(one.family)) for one in _parse_lsof(output)]
    assert [entry[:3] for entry in found] == [(412, 6000, "127.0.0.1"), (412, 6000, "::1"), (7, 7000, "*")]
    assert found[0][3] != found[1][3]


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
