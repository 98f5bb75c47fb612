"""What the benchmarks run: the C programs, compiled on demand, and a supervisord in an environment of its own."""

import compileall
import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

SUPERVISORD = "4.3.0"
ROOT = Path(__file__).parent.parent
PROGRAMS = ROOT / "benchmarks/programs"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "portsup-benchmarks"


def program(name: str) -> Path:
    """The compiled `programs/NAME.c`; compiled again when the source is newer."""
    source, binary = PROGRAMS / f"{name}.c", CACHE / name
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-O2", "-Wall", "-D_GNU_SOURCE", "-o", binary, source], check=True)
    return binary


def supervisord() -> Path:
    """The folder with `supervisord` and `supervisorctl`; its import name is ours too, hence the own environment."""
    environment = CACHE / f"supervisord-{SUPERVISORD}"
    if not (environment / "bin/supervisorctl").exists():
        shutil.rmtree(environment, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
        wanted = f"supervisor=={SUPERVISORD}"
        python = str(environment / "bin/python")
        if shutil.which("uv"):
            subprocess.run(["uv", "pip", "install", "--quiet", "--python", python, wanted], check=True)
        else:
            pip = [shutil.which("python3", path=_without_our_environment()) or "python3", "-m", "pip"]
            subprocess.run([*pip, "--python", python, "install", "--quiet", wanted], check=True)
    return environment / "bin"


def _without_our_environment() -> str:
    """PATH less the folder of this interpreter: our own environment has no pip."""
    ours = str(Path(sys.executable).parent)
    return os.pathsep.join(folder for folder in os.environ["PATH"].split(os.pathsep) if folder != ours)


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
        compileall.compile_dir(ROOT / package, quiet=1)
    return command
