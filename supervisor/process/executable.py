"""Which file a command runs, and why it cannot be run."""

import contextlib
import errno
import functools
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from itertools import islice

from supervisor import system
from supervisor.config.suggest import likely
from supervisor.errors import REFUSALS, SpawnError
from supervisor.words import programs

MOST_PROGRAMS = 5000  # that are looked through for one with a similar name: a service may have a directory of millions
DEFAULT_PATH = os.defpath  # what execvp(3) searches where PATH is not set


def own_bin() -> str:
    """The `bin` of the virtual environment that portsup is part of; "" if there is none, or it is portsup's alone.

    portsup that was installed into a project's environment finds that project's programs there, as if the
    environment was activated.  pipx and uv leave a mark in the environments that they make for a single tool.
    """
    marks = ("pipx_metadata.json", "uv-receipt.toml")
    if sys.prefix == sys.base_prefix or any(os.path.exists(os.path.join(sys.prefix, mark)) for mark in marks):
        return ""
    return os.path.dirname(sys.executable)


def with_own_bin(search: str) -> str:
    """A PATH to which `own_bin` is added: in front, or at the end where a virtual environment has been activated."""
    folder, folders = own_bin(), search.split(os.pathsep)
    if not folder or folder in folders:
        return search
    is_active = any(map(os.path.exists, _marks_of_environments(search)))
    return os.pathsep.join((*folders, folder) if is_active else (folder, *folders))


@functools.lru_cache(maxsize=8)
def _marks_of_environments(search: str) -> tuple[str, ...]:
    """The files that are there where a folder of this PATH is the `bin` of a virtual environment."""
    return tuple(os.path.join(os.path.dirname(each), "pyvenv.cfg") for each in search.split(os.pathsep) if each)


def find(name: str, environment: Mapping[str, str], working_dir: str) -> str:
    """The file that `name` stands for, looked up in the PATH of the child and seen from its working directory.

    Raises SpawnError where there is none that may be executed, and where the system cannot tell.
    """
    if not name:
        raise programs.empty()
    search = environment.get("PATH", DEFAULT_PATH)
    has_folder = "/" in name or os.sep in name
    folders = [""] if has_folder else search.split(os.pathsep)
    refused = ""
    for folder in folders:
        path = os.path.join(working_dir, folder, name)
        try:
            if found := _executable(path, environment):
                return found
        except OSError as error:
            raise explain(error.errno or 0, name, path, 0) from error
        if not refused and os.path.exists(path):
            refused = path
    if not os.path.isdir(working_dir):
        raise no_working_dir(name, working_dir)
    if refused:
        raise _not_executable(name, refused)
    if has_folder:
        raise programs.no_file(name, path, working_dir)
    is_here = _may_execute(os.path.join(working_dir, name))
    raise programs.not_found(name, search, "" if is_here else _similar(name, search, working_dir), is_here)


def explain(code: int, name: str, path: str, size: int) -> SpawnError:
    """What an errno of fork or execve means for someone who wants `name` to run; `size` is that of what it gets."""
    match code:
        case errno.ENOEXEC:
            return programs.no_program(name, path)
        case errno.ENOENT | errno.ENOTDIR:
            return programs.no_interpreter(name, path, _interpreter(path))
        case errno.EACCES | errno.EPERM:
            return _not_executable(name, path)
        case errno.E2BIG:
            return programs.too_large(name, size)
        case errno.EMFILE | errno.ENFILE:
            return programs.too_many_files(name)
        case errno.EAGAIN:
            return programs.too_many_processes(name)
        case errno.ENOMEM:
            return programs.no_memory(name)
    return programs.refused(name, os.strerror(code).lower())


def no_working_dir(name: str, working_dir: str) -> SpawnError:
    """What to say where `working_dir` cannot be entered."""
    if os.path.isdir(working_dir):
        return programs.directory_closed(name, working_dir)
    return programs.no_directory(name, working_dir, os.path.exists(working_dir))


def _executable(path: str, environment: Mapping[str, str]) -> str:
    """The path, on Windows with what has to be added to it; "" where it may not be executed."""
    if not system.HAS_JOBS:
        return path if _may_execute(path) else ""
    endings = environment.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").lower().split(os.pathsep)
    if path.lower().endswith(tuple(endings)):
        endings = [""]
    return next((path + ending for ending in endings if _may_execute(path + ending)), "")


def _may_execute(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode) and os.access(path, os.X_OK)
    except OSError as error:
        if error.errno in REFUSALS:  # it may well be there
            raise
        return False
    except ValueError:
        return False


def _not_executable(name: str, path: str) -> SpawnError:
    if os.path.isdir(path):
        return programs.a_directory(name, path)
    return programs.not_executable(name, path, _may_execute(path))


def _interpreter(path: str) -> str:
    try:
        with open(path, "rb") as file:
            line = file.readline(256)
    except OSError:
        return ""
    words = line[2:].split() if line.startswith(b"#!") else []
    return os.fsdecode(words[0]) if words else ""


def _similar(name: str, search: str, working_dir: str) -> str:
    known = set(islice(_programs(search, working_dir), MOST_PROGRAMS))
    return f"{name}3" if f"{name}3" in known else likely(name, known, 0.8)


def _programs(search: str, working_dir: str) -> Iterator[str]:
    for folder in search.split(os.pathsep):
        with contextlib.suppress(OSError), os.scandir(os.path.join(working_dir, folder)) as entries:
            for entry in entries:
                yield entry.name
