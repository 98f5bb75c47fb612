"""Which file a command runs, and why it can not be run, in words."""

import errno
import os
import stat
import sys
from collections.abc import Mapping

from supervisor.errors import REFUSALS, PortsupError

DEFAULT_PATH = os.defpath  # what execvp(3) searches where PATH is not set


class SpawnError(PortsupError):
    """A program could not be started; no process is left of the attempt."""


def own_bin() -> str:
    """The `bin` of the virtual environment that portsup is part of; "" if there is none, or it is portsup's alone.

    portsup that was installed into a project's environment finds that project's programs there, as if the
    environment was activated.  pipx and uv leave a mark in the environments that they make for a single tool.
    """
    marks = ("pipx_metadata.json", "uv-receipt.toml")
    if sys.prefix == sys.base_prefix or any(os.path.exists(os.path.join(sys.prefix, mark)) for mark in marks):
        return ""
    return os.path.dirname(sys.executable)


def find(name: str, environment: Mapping[str, str], working_dir: str) -> str:
    """The file that `name` stands for, looked up in the PATH of the child and seen from its working directory.

    Raises SpawnError where there is none that may be executed, and where the system cannot tell.
    """
    if not name:
        raise SpawnError("cannot run an empty command", hint="name a program")
    search = environment.get("PATH", DEFAULT_PATH)
    folders = [""] if "/" in name else search.split(os.pathsep)
    refused = ""
    for folder in folders:
        path = os.path.join(working_dir, folder, name)
        try:
            if _may_execute(path):
                return path
        except OSError as error:
            raise explain(error.errno or 0, name, path, 0) from error
        if not refused and os.path.exists(path):
            refused = path
    if not os.path.isdir(working_dir):
        raise no_working_dir(name, working_dir)
    if refused:
        raise _not_executable(name, refused)
    if "/" in name:
        raise SpawnError(
            f"cannot run `{name}`", f"there is no file `{path}`", f"check the path; it is seen from `{working_dir}`"
        )
    raise SpawnError(
        f"cannot run `{name}`", f"command not found in PATH ({search})", _similar(name, search, working_dir)
    )


def explain(code: int, name: str, path: str, size: int) -> SpawnError:
    """What an errno of fork or execve means for someone who wants `name` to run; `size` is that of what it gets."""
    what = f"cannot run `{name}`"
    match code:
        case errno.ENOEXEC:
            return SpawnError(
                what,
                f"`{path}` is neither a program for this machine nor a script that begins with #!",
                f"begin it with a line such as `#!/bin/sh`, or put its interpreter before it: `sh {name}`",
            )
        case errno.ENOENT | errno.ENOTDIR:
            interpreter = _interpreter(path)
            if interpreter:
                return SpawnError(
                    what,
                    f"`{path}` wants the interpreter `{interpreter}`, which does not exist",
                    "install it, or correct the first line of the script",
                )
            return SpawnError(what, f"`{path}` or the loader it was linked for does not exist")
        case errno.EACCES | errno.EPERM:
            return _not_executable(name, path)
        case errno.E2BIG:
            return SpawnError(
                what,
                f"its arguments and environment have {size} bytes, more than the system takes",
                "pass large values in a file",
            )
        case errno.EMFILE | errno.ENFILE:
            return SpawnError(what, "too many files are open", "raise the limit with `ulimit -n` before portsup starts")
        case errno.EAGAIN:
            return SpawnError(what, "the limit of processes is reached", "end some, or raise it with `ulimit -u`")
        case errno.ENOMEM:
            return SpawnError(what, "not enough memory for one more process")
    return SpawnError(what, os.strerror(code).lower())


def no_working_dir(name: str, working_dir: str) -> SpawnError:
    """What to say where `working_dir` can not be entered."""
    what = f"cannot run `{name}`"
    if os.path.isdir(working_dir):
        return SpawnError(what, f"its working directory `{working_dir}` may not be entered", "check its permissions")
    reason = "is not a directory" if os.path.exists(working_dir) else "does not exist"
    return SpawnError(what, f"its working directory `{working_dir}` {reason}", "create it, or have it run in another")


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
    what = f"cannot run `{name}`"
    if os.path.isdir(path):
        return SpawnError(what, f"`{path}` is a directory", "name a program")
    if _may_execute(path):
        return SpawnError(
            what,
            f"the system refuses to execute `{path}`",
            "is it on a file system mounted noexec, or is its interpreter not executable?",
        )
    return SpawnError(what, f"`{path}` is not executable", f"make it so with `chmod +x {path}`")


def _interpreter(path: str) -> str:
    try:
        with open(path, "rb") as file:
            line = file.readline(256)
    except OSError:
        return ""
    words = line[2:].split() if line.startswith(b"#!") else []
    return os.fsdecode(words[0]) if words else ""


def _similar(name: str, search: str, working_dir: str) -> str:
    if _may_execute(os.path.join(working_dir, name)):
        return f"`{name}` is in the working directory: write `./{name}`"
    from difflib import get_close_matches

    known: set[str] = set()
    for folder in search.split(os.pathsep):
        try:
            known.update(os.listdir(os.path.join(working_dir, folder)))
        except OSError:
            continue
    matches = [f"{name}3"] if f"{name}3" in known else get_close_matches(name, known, n=1, cutoff=0.8)
    return f"did you mean `{matches[0]}`?" if matches else "install it, or give its full path"
