"""A program in the foreground, for as long as somebody looks at it."""

import contextlib
import io
import os
import pty
import subprocess
import termios
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

PATIENCE = 120.0  # seconds; only what has gone wrong waits for so long


@contextlib.contextmanager
def running(
    command: list[str], folder: Path, env: Mapping[str, str], *, has_screen: bool = False
) -> Iterator[Callable[[bytes], None]]:
    """A program in the foreground; gives what types keys into its terminal, if it has one."""
    screen, inner = pty.openpty() if has_screen else (-1, -1)
    if has_screen:
        termios.tcsetwinsize(inner, (24, 80))  # a new one has no rows, in which mprocs cannot draw
    log = (folder.parent / "log").open("wb", buffering=0)
    stdin, out = (inner, inner) if has_screen else (subprocess.DEVNULL, log)
    child = subprocess.Popen(
        command, cwd=folder, env=dict(env), stdin=stdin, stdout=out, stderr=out, start_new_session=True
    )  # fmt: skip
    reader = threading.Thread(target=_drain, args=(screen, log), daemon=True)
    if has_screen:
        os.close(inner)
        reader.start()
    try:
        yield lambda keys: (os.write(screen, keys), None)[1]
        child.wait(PATIENCE)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        if has_screen:
            reader.join(PATIENCE)
            os.close(screen)
        log.close()


def _drain(screen: int, log: io.RawIOBase) -> None:
    with contextlib.suppress(OSError):
        while shown := os.read(screen, 65536):
            log.write(shown)
