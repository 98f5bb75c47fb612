"""CPython for Windows under wine, as `.ci/windows.sh` has put it there."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
WINE = Path("/usr/lib/wine/wine64")
SERVER = Path("/usr/lib/wine/wineserver64")
PYTHON = ROOT / "build/windows/python/python.exe"
PATIENCE = 150.0  # seconds; a busy machine takes a minute for what a quiet one does in three seconds


def why_not() -> str:
    """Why nothing can be run, "" if it can."""
    missing = [str(path) for path in (WINE, PYTHON) if not path.exists()]
    return f"no {' and no '.join(missing)}: run `.ci/windows.sh`" if missing else ""


def seen(path: Path) -> str:
    """The path as Windows has it."""
    return "Z:" + str(path).replace("/", "\\")


class Wine:
    """One prefix: a Windows of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "WINEPREFIX": str(folder / "prefix"), "WINEARCH": "win64",
            "WINEDEBUG": "-all", "WINEPATH": seen(PYTHON.parent), "PYTHONIOENCODING": "utf-8",
        }  # fmt: skip
        self.run([str(WINE), "wineboot", "-i"])
        self.run([str(WINE), "reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f"])

    def run(self, argv: Sequence[str], cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
        """Runs a program of Linux in this prefix to its end; its output comes by pipes, as wine wants it."""
        return subprocess.run(
            argv, env=self.environment, cwd=cwd or self.folder, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, encoding="utf-8", errors="replace", timeout=PATIENCE,
        )  # fmt: skip

    def python(self, *words: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
        """Runs Python to its end."""
        return self.run([str(WINE), str(PYTHON), *words], cwd)

    def portsup(self, *words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
        """Runs a command of portsup to its end."""
        return self.python("-m", "supervisor", *words, cwd=cwd)

    def start(self, *words: str, cwd: Path) -> "Running":
        """Begins a command of portsup."""
        return Running(self, words, cwd)

    def close(self) -> None:
        """Ends all that runs in the prefix: its own server knows them."""
        subprocess.run([str(SERVER), "-k"], env=self.environment, capture_output=True)


class Running:
    """A command of portsup that goes on."""

    def __init__(self, wine: Wine, words: Sequence[str], cwd: Path) -> None:
        self._file = wine.folder / f"{time.monotonic_ns()}.out"
        with self._file.open("wb") as file:  # `cat` stands between: Python for Windows needs a pipe
            self._cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=file)
            assert self._cat.stdin is not None
            self._process = subprocess.Popen(
                [str(WINE), str(PYTHON), "-m", "supervisor", *words], env=wine.environment, cwd=cwd,
                stdin=subprocess.DEVNULL, stdout=self._cat.stdin, stderr=self._cat.stdin,
            )  # fmt: skip
            self._cat.stdin.close()

    @property
    def output(self) -> str:
        """What it has said by now."""
        return self._file.read_text(errors="replace").replace("\r\n", "\n")

    def until(self, words: str, within: float = PATIENCE) -> str:
        """Waits until it has said that; gives all that it has said."""
        eventually(lambda: words in self.output or self._process.poll() is not None, within)
        assert words in self.output, self.output
        return self.output

    def wait(self) -> int:
        """Its exit code, as Linux has it: the lowest eight bits.

        What it leaves in the background may have the pipe of its output.
        """
        code = self._process.wait(PATIENCE)
        self._end_reader()
        return code

    def kill(self) -> None:
        """Ends it by force, as the task manager would."""
        self._process.kill()
        self._process.wait(PATIENCE)
        self._end_reader()

    def _end_reader(self) -> None:
        """What stays in the background may keep the pipe open for good; by now everything that was said is read."""
        try:
            self._cat.wait(2.0)
        except subprocess.TimeoutExpired:
            self._cat.kill()
            self._cat.wait()


def eventually(is_so: Callable[[], bool], within: float = PATIENCE) -> None:
    """Waits until it is so, or fails."""
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
