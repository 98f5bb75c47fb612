"""The programs of tests/programs that are written in C."""

import shutil
import subprocess
from pathlib import Path

from tests.support.needed import need_program

PROGRAMS = Path(__file__).parents[1] / "programs"


def compiled(name: str, folder: Path) -> Path:
    """The executable of a C program, made in `folder`; skips the test where there is no C compiler."""
    compiler = shutil.which("cc") or need_program("gcc", "gcc libc6-dev")
    executable = folder / name
    if not executable.exists():
        subprocess.run(
            [compiler, "-O2", "-Wall", "-Werror", "-o", executable, PROGRAMS / f"{name}.c"], check=True, timeout=60
        )
    return executable
