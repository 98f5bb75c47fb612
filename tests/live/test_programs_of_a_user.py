"""Programs that nobody here wrote, as services of an ordinary user: killed and restarted while somebody calls them."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from supervisor.process.filters import why_not
from tests.live.conftest import Make
from tests.live.test_handoff import AS_NOBODY, AT_ONCE, python_of_nobody
from tests.live.test_own_sockets import how, up  # noqa: F401
from tests.live.test_programs import PROGRAMS
from tests.support.caller import caller
from tests.support.eventually import eventually
from tests.support.needed import need
from tests.support.ports import free_pool
from tests.support.thief import ways_in

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=f"no handoff here: {why_not()}")]

# Those that register their socket before they bind it, have it bound by another program, or have several.
NAMES = ("java-nio", "boost-asio", "go", "caddy", "authbind", "epmd", "chromium", "redis", "nginx", "node-cluster")
KILLS = 2
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # without folders that only root may enter


@pytest.mark.parametrize("how", ["sysctl", "swap"], indirect=True)
@pytest.mark.parametrize("name", NAMES)
def test_its_clients_are_served_whoever_it_belongs_to(stack: Make, own_folders: Path, how: str, name: str) -> None:  # noqa: F811
    case = PROGRAMS[name]
    need(not case.needs or bool(shutil.which(case.needs, path=PATH)), f"`{case.needs}`", "`.ci/run` installs it")
    (port,) = free_pool(1)
    live = stack({})
    python = python_of_nobody(live.env)
    home = own_folders / "home"
    home.mkdir()
    command = [python if word == sys.executable else str(word) for word in case.command(home, port)]
    environment = {"PATH": PATH, "HOME": str(home), "TMPDIR": str(home)}
    live.write({"web": {"command": command, "pool": [port], "environment": environment, **AT_ONCE}})
    for path in (live.folder, live.folder.parent, home, *home.rglob("*")):
        os.chown(path, 65534, 65534)
    live.command = lambda *words: [*AS_NOBODY, python, "-m", "supervisor", *words]  # type: ignore[method-assign]
    with up(live):
        with caller(port, case.request) as calls:
            eventually(lambda: calls.answered > 1)
            for _ in range(KILLS):
                before, answered = live.until("web", state="running")["pid"], calls.answered
                os.kill(before, signal.SIGKILL)
                eventually(lambda before=before: live.rows()["web"]["pid"] not in (before, None))  # type: ignore[misc]
                live.until("web", state="running")
                eventually(lambda answered=answered: calls.answered > answered + 1)  # type: ignore[misc]
            live.do("restart", "web", timeout=5)
            answered = calls.answered
            eventually(lambda: calls.answered > answered + 1)
        assert (calls.refused, calls.late, calls.strange) == (0, 0, [])
        assert ways_in(port) == []
        row = live.rows()["web"]
        assert (row["handoff"], row["port"], row["restarts"]) == (how, port, KILLS)
        print(f"{name}: {calls}")
