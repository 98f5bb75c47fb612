"""Modules of the standard library that run when something of theirs is used, not when they are imported.

asyncio and pathlib import modules for what a daemon does not do in a quiet life: to show exceptions, to quote URLs, to
ask what a function is, to log, to have threads or a shell work for it.  Without these a start takes 10 ms less, and the
daemon 2 MiB.
"""

import os
import sys
from _frozen_importlib import module_from_spec  # importlib.machinery and importlib.util have these, but take a while
from _frozen_importlib_external import PathFinder
from _thread import RLock
from types import FrameType, FunctionType, MethodType, ModuleType

from supervisor.annotations import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from traceback import StackSummary

_COROUTINE_FUNCTION = 0x80  # inspect.CO_COROUTINE
# What asyncio takes of `typing`; whoever else does so gets the real thing.
_ANNOTATIONS = {"Optional": Any, "Type": Any, "final": lambda of: of}
_SELF_MADE = "asyncio"  # finds its own modules, also those that it has not as attributes
_running: set[str] = set()
_lock = RLock()


def put_off() -> None:
    """Has the modules come late that the standard library alone imports, where they have not come already."""
    # asyncio works without ssl, and portsup has no use for it: 4 MB and 10 ms less.
    sys.modules.setdefault("ssl", None)  # type: ignore[arg-type]
    for name, at_hand in _MODULES.items():
        package, _, own = name.rpartition(".")
        if package and package != _SELF_MADE:
            __import__(package)
        if name in sys.modules or (spec := PathFinder.find_spec(name, _path_of(package))) is None or not spec.loader:
            continue
        module = module_from_spec(spec)
        module.__class__ = _Latecomer
        module.__dict__.update(at_hand)
        sys.modules[name] = module
        if package and package != _SELF_MADE:
            setattr(sys.modules[package], own, module)  # as an import does


def _path_of(package: str) -> list[str] | None:
    """Where the modules of a package of the standard library are, which need not have been imported; None for all."""
    return [os.path.join(os.path.dirname(os.__file__), package)] if package else None


def _is_asked_by_asyncio() -> bool:
    return str(sys._getframe(2).f_globals.get("__name__")).startswith("asyncio.")


class _Latecomer(ModuleType):
    """A module that has not run yet: it does so when something is asked of it that it does not have."""

    def __getattr__(self, name: str) -> Any:
        if self.__name__ == "typing" and name in _ANNOTATIONS and type(self) is _Latecomer and _is_asked_by_asyncio():
            return _ANNOTATIONS[name]
        with _lock:
            # `from module import name` asks for `__path__`, which those do not have that are no packages.
            if type(self) is _Latecomer and self.__name__ not in _running and name != "__path__":
                _run(self)
        if name in self.__dict__:
            return self.__dict__[name]
        if type(self) is _Latecomer:  # it is running, and has not come to that
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return ModuleType.__getattribute__(self, name)


def _run(module: ModuleType) -> None:
    spec: Any = module.__spec__
    _running.add(module.__name__)
    try:
        spec.loader.exec_module(module)
    finally:
        _running.discard(module.__name__)
    module.__class__ = ModuleType  # not before it is whole: else another thread would miss something


def _is_coroutine_function(function: object) -> bool:
    """What asyncio asks `inspect` of each handler of a signal."""
    while isinstance(function, MethodType):
        function = function.__func__
    while type(function).__name__ == "partial" and hasattr(function, "func"):
        function = function.func
    return isinstance(function, FunctionType) and bool(function.__code__.co_flags & _COROUTINE_FUNCTION)


def _extract_stack(frame: FrameType | None = None, limit: int | None = None) -> "StackSummary":
    """What asyncio takes from `traceback` by name, for its debug mode."""
    from traceback import extract_stack

    return extract_stack(frame or sys._getframe(1), limit)


def _quoted(*arguments: Any, **options: Any) -> str:
    """What pathlib takes from `urllib.parse` by name."""
    from urllib.parse import quote_from_bytes

    return quote_from_bytes(*arguments, **options)


class _Logger:
    """What asyncio takes from `logging` by name: it says something in trouble only, and then that runs."""

    def __init__(self, name: str | None = None) -> None:
        self._name = name

    def debug(self, *words: Any, **options: Any) -> None:
        """Says it where somebody listens: by itself `logging` passes over what is less than a warning."""
        if type(sys.modules["logging"]) is not _Latecomer:
            self.__getattr__("debug")(*words, **options)

    def __getattr__(self, name: str) -> Any:
        import logging

        try:
            _ = logging.Logger  # has it run
        except (ImportError, OSError, MemoryError):  # no descriptor or memory to load it with
            return _say_nothing
        return getattr(logging.getLogger(self._name), name)


def _say_nothing(*words: object, **options: object) -> None:
    """What a logger does that cannot be had."""


# Each with what is taken or asked of it in a quiet life; it is the module's own once that has run.
_MODULES: dict[str, dict[str, object]] = {
    "asyncio.sslproto": {},
    "asyncio.staggered": {},
    "asyncio.trsock": {},
    "concurrent.futures": {name: name for name in ("FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED")},
    "inspect": {"iscoroutinefunction": _is_coroutine_function},
    "linecache": {},
    "locale": {},
    "logging": {"DEBUG": 10, "getLogger": _Logger},
    "ntpath": {},
    "subprocess": {"PIPE": -1, "STDOUT": -2, "DEVNULL": -3},
    "traceback": {"extract_stack": _extract_stack},
    "typing": {},
    "urllib.parse": {"quote_from_bytes": _quoted},
}
