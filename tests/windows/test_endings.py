"""How an instance ends under wine: its exit codes, and what is left when it is killed."""

import socket
from pathlib import Path

import pytest

from tests.support.ports import free_pool
from tests.windows.test_stack import SERVER, get
from tests.windows.wine import Wine, eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

HEAD = "name: {name}\nservices:\n  api:\n    command: {command}\n"


def project(folder: Path, command: str, *more: str, name: str = "ends") -> Path:
    (folder / "server.py").write_text(SERVER)
    words = HEAD.format(name=name, command=command) + "".join(f"    {line}\n" for line in more)
    (folder / "services.yaml").write_text(words)
    return folder


def refuses(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) != 0


SERVES = '[python, -u, server.py, "{port}"]'


def test_a_mistake_in_the_file_is_code_2(wine: Wine, tmp_path: Path) -> None:
    done = wine.portsup("up", cwd=project(tmp_path, "[python]", "prot: 1"))
    assert (done.returncode, "prot" in done.stderr) == (2, True), done.stderr


def test_no_file_is_code_2(wine: Wine, tmp_path: Path) -> None:
    assert wine.portsup("up", cwd=tmp_path).returncode == 2


def test_status_without_an_instance_is_code_4(wine: Wine, tmp_path: Path) -> None:
    assert wine.portsup("status", cwd=project(tmp_path, "[python]", name="none")).returncode == 4


def test_a_failure_that_ends_all_gives_its_code(wine: Wine, tmp_path: Path) -> None:
    folder = project(tmp_path, '[python, -c, "import sys; sys.exit(5)"]', "restart: never", name="gives-up")
    done = wine.portsup("up", "--abort-on-failure", cwd=folder)
    assert done.returncode == 5, done.stdout + done.stderr


def test_a_pool_that_is_taken_is_code_12_and_named(wine: Wine, tmp_path: Path) -> None:
    port = free_pool(1)[0]
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        done = wine.portsup("up", cwd=project(tmp_path, SERVES, f"pool: [{port}]", name="taken"))
    assert done.returncode == 12, done.stdout + done.stderr
    assert str(port) in done.stderr


def test_a_service_that_is_not_ready_in_time_is_code_124(wine: Wine, tmp_path: Path) -> None:
    port = free_pool(1)[0]
    folder = project(tmp_path, '[python, -c, "import time; time.sleep(600)"]', f"pool: [{port}]", name="late")
    done = wine.portsup("up", "--wait-timeout", "3", cwd=folder)
    assert done.returncode == 124, done.stdout + done.stderr


def test_a_program_that_is_not_there_is_said(wine: Wine, tmp_path: Path) -> None:
    done = wine.portsup("up", "--abort-on-failure", cwd=project(tmp_path, "[no-such-program]", name="no-program"))
    assert done.returncode == 10, done.stdout + done.stderr
    assert "no-such-program" in done.stdout + done.stderr


def test_the_code_of_a_service_can_be_that_of_up(wine: Wine, tmp_path: Path) -> None:
    folder = project(tmp_path, '[python, -c, "import sys; sys.exit(7)"]', "restart: never", name="code")
    assert wine.portsup("up", "--exit-code-from", "api", cwd=folder).returncode == 7


def test_a_lock_that_is_deleted_ends_it_with_code_13(wine: Wine, tmp_path: Path) -> None:
    port = free_pool(1)[0]
    folder = project(tmp_path, SERVES, f"pool: [{port}]", "stop_grace_period: 1s", name="loses")
    up = wine.start("up", cwd=folder)
    up.until("is up after")
    next(wine.folder.rglob(f"portsup/run/ports/{port}.lock")).unlink()
    assert up.wait() == 13
    assert refuses(port)


def test_up_in_the_background_returns_when_all_is_ready(wine: Wine, tmp_path: Path) -> None:
    port = free_pool(1)[0]
    folder = project(tmp_path, SERVES, f"pool: [{port}]", "stop_grace_period: 1s", name="behind")
    up = wine.start("up", "-d", cwd=folder)
    assert up.wait() == 0, up.output
    assert get(port) == "hello"
    assert wine.portsup("down", cwd=folder).returncode == 0
    assert refuses(port)


def test_up_in_the_background_tells_of_a_failure(wine: Wine, tmp_path: Path) -> None:
    folder = project(tmp_path, "[no-such-program]", "restart: never", name="behind-fails")
    done = wine.portsup("up", "-d", "--abort-on-failure", cwd=folder)
    assert done.returncode == 10, done.stdout + done.stderr


def test_services_end_with_a_daemon_that_is_killed(wine: Wine, tmp_path: Path) -> None:
    port = free_pool(1)[0]
    folder = project(tmp_path, SERVES, f"pool: [{port}]", "stop_grace_period: 1s", name="killed")
    up = wine.start("up", cwd=folder)
    up.until("is up after")
    up.kill()
    eventually(lambda: refuses(port))
    again = wine.start("up", cwd=folder)
    assert "instance 1 is up" in again.until("is up after")
    assert wine.portsup("down", cwd=folder).returncode == 0
    assert again.wait() == 0


def test_exec_gives_the_program_a_port_and_its_code_back(wine: Wine, tmp_path: Path) -> None:
    first, second = free_pool(2)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", first))
        stranger.listen()
        code = "import os, sys; print('has', os.environ['PORT'], sys.argv[1], flush=True); sys.exit(9)"
        done = wine.portsup("exec", "--pool", f"{first},{second}", "--", "python", "-c", code, "{port}", cwd=tmp_path)
    assert done.returncode == 9, done.stdout + done.stderr
    assert f"has {second} {second}" in done.stdout


def test_exec_without_a_port_left_is_code_12(wine: Wine, tmp_path: Path) -> None:
    port = free_pool(1)[0]
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        done = wine.portsup("exec", "--pool", str(port), "--", "python", "-c", "pass", cwd=tmp_path)
    assert done.returncode == 12, done.stdout + done.stderr


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["up", "--help"], ["schema"]])
def test_what_needs_no_instance(wine: Wine, tmp_path: Path, words: list[str]) -> None:
    done = wine.portsup(*words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
