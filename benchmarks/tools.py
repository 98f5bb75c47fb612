"""What the benchmarks run: the C programs, compiled on demand, portsup, and the peers that are installed."""

import compileall
import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROGRAMS = ROOT / "benchmarks/programs"
PEERS = ROOT / "build/convert-tools"  # where `make convert-tools` puts them
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "portsup-benchmarks"


def program(name: str) -> Path:
    """The compiled `programs/NAME.c`; compiled again when the source is newer."""
    source, binary = PROGRAMS / f"{name}.c", CACHE / name
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-O2", "-Wall", "-D_GNU_SOURCE", "-o", binary, source], check=True)
    return binary


def peer(path: str) -> str:
    """A command of PyPI or npm, in environments of their own: supervisord's import name is ours too."""
    return str(PEERS / path)


def missing_peer(path: str) -> str:
    """How to get that command, or nothing where it is there."""
    return "" if (PEERS / path).exists() else "`make convert-tools` installs it"


def missing_program(name: str, package: str) -> str:
    """How to get a program of Debian's, or nothing where it is there."""
    return "" if shutil.which(name) else f"`apt-get install {package}` installs it"


def path_with_node() -> str:
    """PATH with the Node.js of this environment."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


@functools.cache
def portsup() -> Path:
    """The `portsup` of the environment that runs the benchmarks.

    Its modules are compiled first, as pip compiles those of supervisord: an installation in a working tree has no
    compiled ones after a change, and never any where PYTHONDONTWRITEBYTECODE is set, so each run would compile them.
    """
    command = Path(sys.executable).parent / "portsup"
    if not command.exists():
        raise SystemExit(f"error: cannot find `portsup` beside {sys.executable}\n\nhint: `make bench` sets it up")
    for package in ("supervisor", "examples"):
        compileall.compile_dir(ROOT / package, quiet=2)
    return command
