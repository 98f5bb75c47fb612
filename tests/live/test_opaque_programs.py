"""Programs of an ordinary user that this user may not look into: their bind cannot be seen, and that is said."""

import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from supervisor.process.filters import why_not
from tests.live.conftest import Make
from tests.live.stack import Live
from tests.live.test_handoff import AS_NOBODY, AT_ONCE, python_of_nobody
from tests.support.eventually import eventually
from tests.support.ports import free_pool

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=f"no handoff here: {why_not()}")]

SERVES = """
import ctypes, os, socket
{before}
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    server.accept()[0].close()
"""
KINDS = ("says so", "may be executed, not read")


def command_of(kind: str, folder: Path, python: str) -> Sequence[str]:
    if kind == "says so":
        return [python, "-c", SERVES.format(before="ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE")]
    copy = folder / "python"
    shutil.copy(os.path.realpath(python), copy)
    copy.chmod(0o711)  # it stays root's
    return [str(copy), "-c", SERVES.format(before="")]


def of_nobody(stack: Make, kind: str, handoff: str) -> tuple[Live, list[int]]:
    pool = list(free_pool(2))
    live = stack({})
    python = python_of_nobody(live.env)
    web = {"command": command_of(kind, live.folder, python), "pool": pool, "handoff": handoff, **AT_ONCE}
    live.write({"web": web})
    for path in (live.folder, live.folder.parent):
        os.chown(path, 65534, 65534)
    live.command = lambda *words: [*AS_NOBODY, python, "-m", "supervisor", *words]  # type: ignore[method-assign]
    return live, pool


@pytest.mark.parametrize("kind", KINDS)
def test_its_error_names_what_helps(stack: Make, kind: str) -> None:
    live, pool = of_nobody(stack, kind, "auto")
    done = live.run("up")
    os.chown(live.runtime, os.getuid(), os.getgid())
    assert done.returncode == 12, done.stderr
    assert f"no port of its pool can be used ({pool[0]}, {pool[1]})" in done.stderr
    assert "hint: set `handoff: off` for `web`: portsup may not look into its process" in done.stderr
    assert [each["service"] for each in live.journal("bind not seen")] == ["web"]


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_handoff_it_is_a_service_like_any_other(stack: Make, kind: str) -> None:
    live, pool = of_nobody(stack, kind, "off")
    with live.foreground() as front:
        front.says("is up", within=60)
        before = live.until("web", state="running", port=pool[0])["pid"]
        os.kill(before, signal.SIGKILL)
        eventually(lambda: live.rows()["web"]["pid"] not in (before, None))
        live.until("web", state="running", port=pool[0], restarts=1)
        assert live.journal("service is ended") == []
        front.send(signal.SIGTERM)
        assert front.ends() == 0
        os.chown(live.runtime, os.getuid(), os.getgid())
