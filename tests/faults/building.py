"""What the suite runs: two C programs, the shim and the server of its stacks, and portsup, compiled."""

import compileall
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
SUPERVISOR = HERE.parents[1] / "supervisor"
WARNINGS = ("-Wall", "-Wextra", "-Werror")


def build(folder: Path) -> tuple[Path, Path]:
    """The shim and the server, made in `folder` where they are not there yet; raises CalledProcessError."""
    shim, server = folder / "shim.so", folder / "server"
    compiler = shutil.which("cc") or "gcc"
    if not shim.exists():
        _run(compiler, *WARNINGS, "-O2", "-shared", "-fPIC", "-o", shim, HERE / "shim.c", "-ldl", "-lpthread")
    if not server.exists():
        _run(compiler, *WARNINGS, "-O2", "-o", server, HERE.parent / "programs" / "server.c")
    return shim, server


def compile_modules() -> None:
    """Has every process find the modules of portsup compiled, so that it makes the same calls each time."""
    compileall.compile_dir(SUPERVISOR, quiet=2)


def _run(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True, timeout=60)
