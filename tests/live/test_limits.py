"""Services that run as another user, with limits, and above their memory limit."""

import os
import pwd
from pathlib import Path

import pytest

from supervisor import system
from tests.live.conftest import Make
from tests.live.stack import SLEEPS
from tests.support.ports import free_pool

pytestmark = pytest.mark.live

SERVER = """
import os, socket, resource, sys
made = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY, 0o666)
with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) as server:
    print("i am", os.getuid(), os.environ["USER"], os.environ["HOME"], resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    while True:
        server.accept()[0].close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_gets_the_port_as_ever(stack: Make, tmp_path: Path) -> None:
    (port,) = free_pool(1)
    nobody = pwd.getpwnam("nobody")
    folder = Path(f"/tmp/portsup-test-{os.getpid()}")
    folder.mkdir()
    os.chown(folder, nobody.pw_uid, -1)
    try:
        live = stack({
            "web": {
                "command": ["/usr/bin/env", "python3", "-c", SERVER, str(folder / "made")], "pool": [port],
                "working_dir": "/", "user": "nobody", "umask": "027", "limits": {"nofile": 99},
                "healthcheck": {"exec": ["sh", "-c", f"id -u > {folder}/probe"]},
            },
            "nosuch": {**SLEEPS, "user": "nosuchuser", "restart": "never"},
        })  # fmt: skip
        assert live.run("up", "-d").returncode == 10
        failed = live.rows()["nosuch"]
        assert (failed["state"], failed["result"]) == ("failed", "spawn-failed")
        assert "cannot run anything as user `nosuchuser`: there is no such user" in failed["reason"]
        live.until("web", state="running", health="healthy", handoff=system.moves_queues() or "swap")
        assert f"i am {nobody.pw_uid} nobody {nobody.pw_dir} 99" in live.log("web")
        made = (folder / "made").stat()
        assert (made.st_uid, made.st_mode & 0o777) == (nobody.pw_uid, 0o640)
        assert (folder / "probe").read_text().strip() == str(nobody.pw_uid), "the probe ran as that user, too"
        assert live.run("down").returncode == 0
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def test_a_service_above_its_memory_limit_is_started_again(stack: Make) -> None:
    grows = (
        "import os, time; big = b'x' * (0 if os.path.exists('grown') else 2**26); open('grown', 'w'); time.sleep(9e3)"
    )
    live = stack({"leak": {"command": ["python3", "-c", grows], "memory_limit": "50MB"}})
    live.env["PORTSUP_HANG_TIMEOUT"] = "6s"  # then memory is looked at every two seconds
    with live.up():
        live.until("leak", state="running", restarts=1)
        (news,) = live.journal("service is ended")
        assert news["why"].startswith("its processes have ")
        assert news["why"].endswith(" of memory, its `memory_limit` is 50 MB")


def test_a_program_with_little_room_for_variables_starts_with_the_addresses_that_it_needs(stack: Make) -> None:
    """execve(2) takes no more than 128 KiB of a program with a small stack, and a thousand addresses are more."""
    names = [f"s{number}-".ljust(63, "x") for number in range(100)]
    ports = free_pool(len(names))
    others = {
        name: {**SLEEPS, "pool": [port], "ready": "started", "autostart": False}
        for name, port in zip(names, ports, strict=True)
    }
    counts = 'env | grep -c "^PORTSUP_S[0-9]*_X*_URL="; env | grep "^PORTSUP_S7_"; sleep 1000'
    web = {
        "command": ["sh", "-c", counts], "environment": {"BIG": "x" * 110_000}, "depends_on": {names[7]: "started"},
        "ready": {"log": "S7"},
    }  # fmt: skip
    live = stack({**others, "all": web, "few": {**web, "limits": {"stack": "256KB"}}})
    with live.up():
        assert "\n100\n" in f"\n{live.log('all')}"
        assert "\n1\n" in f"\n{live.log('few')}"
        assert f"={ports[7]}" in live.log("few")
        told = live.run("env", "few").stdout
        assert (told.count("_URL="), "PORTSUP_ENDPOINTS=" in told) == (1, True)
