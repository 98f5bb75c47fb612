"""Code in the sandbox of MCP Universal: what it can do, what it cannot, and that nothing of it stays."""

import asyncio
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from examples.mcp_universal.box import FILE, PATH, PROCESSES
from examples.mcp_universal.programs import Programs, allowed_commands
from examples.mcp_universal.sandbox import AT_ONCE, OUTPUT_KEPT, Outcome, Sandbox
from examples.service import SettingError
from examples.web import ServiceError
from tests.examples.running import processes
from tests.support.eventually import eventually
from tests.support.needed import need

pytestmark = pytest.mark.live
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def sandbox(folder: Path) -> Sandbox:
    need(shutil.which("bwrap"), "bubblewrap", "on Debian and Ubuntu: apt install bubblewrap")
    sandbox = Sandbox(folder)
    need(not (problem := asyncio.run(sandbox.problem())), "a working sandbox", problem)
    return sandbox


def run(sandbox: Sandbox, code: str, language: str = "bash", seconds: float = 20, **options: Any) -> Outcome:
    return asyncio.run(Programs(sandbox, ()).run_code(language, code, seconds, **options))


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "import os; open('python.txt', 'w').write(os.getcwd()); print(6 * 7)"),
        ("javascript", "require('fs').writeFileSync('javascript.txt', process.cwd()); console.log(6 * 7)"),
        ("bash", "echo -n $PWD > bash.txt; echo $((6 * 7))"),
    ],
)
def test_code_works_in_the_folder(sandbox: Sandbox, folder: Path, language: str, code: str) -> None:
    if language == "javascript":
        need(shutil.which("node", path=PATH), "Node.js", "on Debian and Ubuntu: apt install nodejs")
    outcome = run(sandbox, code, language)
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, "42\n", "")
    assert (folder / f"{language}.txt").read_text() == "/workspace"


def test_how_it_ended_is_told(sandbox: Sandbox) -> None:
    assert run(sandbox, "echo oh >&2; exit 7").exit_code == 7
    assert run(sandbox, "kill -9 $$").exit_code == 128 + 9
    assert "SyntaxError" in run(sandbox, "1 +", "python").stderr


def test_its_input_is_empty(sandbox: Sandbox) -> None:
    assert run(sandbox, "cat; echo end").stdout == "end\n"


def test_nothing_of_the_host_is_to_be_seen(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCP_TOKEN", "a-secret-of-the-service")
    outcome = run(
        sandbox, "cat /etc/passwd; ls -A / /etc; env; cat /proc/[0-9]*/environ; cat /proc/[0-9]*/cmdline | wc -l"
    )
    assert "root:" not in outcome.stdout
    assert "a-secret" not in outcome.stdout
    seen = outcome.stdout.splitlines()
    hidden = {"home", "root", "run", "var", "srv", "sys", "passwd", "hostname"} - set(Path(sys.base_prefix).parts)
    assert not hidden & set(seen)
    outcome = run(sandbox, "import os; print(*(name for name in os.listdir('/proc') if name.isdecimal()))", "python")
    assert len(outcome.stdout.split()) <= 4
    fds = run(sandbox, "import os; print(*os.listdir('/proc/self/fd'))", "python").stdout.split()
    assert sorted(fds) == ["0", "1", "2", "3"]  # 3 is the listing itself


def test_there_is_no_network(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        code = (
            "import socket\n"
            f"for address in (('127.0.0.1', {listener.getsockname()[1]}), ('192.0.2.1', 80)):\n"
            "    try:\n        socket.create_connection(address, 5)\n"
            "    except OSError as error:\n        print(type(error).__name__, error.errno)\n"
        )
        assert run(sandbox, code, "python").stdout == "ConnectionRefusedError 111\nOSError 101\n"
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize(
    "code",
    [
        "mount -o remount,rw,bind /usr; touch /usr/portsup-was-here",
        "unshare --user --map-root-user --mount sh -c 'mount -o remount,rw,bind /usr; touch /usr/portsup-was-here'",
        "touch /portsup-was-here /dev/portsup-was-here /etc/portsup-was-here /code/portsup-was-here",
        "echo 99 > /proc/sys/kernel/panic",
        "echo h > /proc/sysrq-trigger",
        "mknod /workspace/mem c 1 1",
        "kill -9 1; nsenter --target 1 --all true",
        "chmod 4755 /workspace/of-the-service",
    ],
)
def test_there_is_no_way_out(sandbox: Sandbox, folder: Path, code: str) -> None:
    (folder / "of-the-service").touch(mode=0o644)
    if os.geteuid() != 0 and "chmod" in code:
        pytest.skip("an ordinary user's own file is the sandbox's as well")
    outcome = run(sandbox, code)
    assert outcome.exit_code not in (0, None), outcome
    assert not Path("/usr/portsup-was-here").exists()
    assert (folder / "of-the-service").stat().st_mode & 0o7777 == 0o644


def test_a_fork_bomb_is_held_and_ends(sandbox: Sandbox, folder: Path) -> None:
    bomb = f"bomb-{secrets.token_hex(4)}.sh"
    (folder / bomb).write_text('bash "$0" & bash "$0" & wait\n')
    seen = []

    async def watch(_: float, __: str) -> None:
        seen.append(len(processes(bomb)))

    async def trial() -> None:
        task = asyncio.create_task(Programs(sandbox, ()).run_code("bash", f"bash {bomb}", 60, watch))
        while not task.done() and max(seen, default=0) < PROCESSES / 2:
            await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(trial())
    assert max(seen) <= PROCESSES + 10  # with bwrap, setpriv and their like, whose arguments name it too
    eventually(lambda: not processes(bomb), what="the end of the bomb")
    assert run(sandbox, "echo fine").stdout == "fine\n"


def test_the_number_of_processes_has_a_limit(sandbox: Sandbox) -> None:
    code = (
        "import os, time\nmade = 0\ntry:\n    while True:\n        if os.fork() == 0:\n            time.sleep(60)\n"
        "        made += 1\nexcept BlockingIOError:\n    print(made)\n"
    )
    assert PROCESSES / 2 < int(run(sandbox, code, "python").stdout) <= PROCESSES


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("kept = []\nwhile True: kept.append(bytearray(10**7))", "MemoryError"),
        (f"big = open('big', 'wb', 0); big.write(bytes({FILE})); big.write(b'x')", "File too large"),
        ("for n in range(9): open(f'/tmp/{n}', 'wb').write(bytes(10**7))", "No space left"),
        ("for n in range(9): open(f'/dev/shm/{n}', 'wb').write(bytes(10**7))", "No space left"),
        ("kept = [open('/dev/null') for _ in range(300)]", "Too many open files"),
    ],
)
def test_memory_and_files_have_limits(sandbox: Sandbox, folder: Path, code: str, words: str) -> None:
    outcome = run(sandbox, code, "python")
    assert (outcome.exit_code, words in outcome.stderr) == (1, True), outcome
    (folder / "big").unlink(missing_ok=True)


def test_processor_time_has_a_limit_of_its_own(sandbox: Sandbox) -> None:
    code = "import resource; print(*resource.getrlimit(resource.RLIMIT_CPU))"
    assert run(sandbox, code, "python", seconds=8).stdout == "9 9\n"


def test_when_the_time_is_up_everything_in_it_ends(sandbox: Sandbox) -> None:
    unique = f"60.{secrets.randbelow(10**9):09}"
    outcome = run(sandbox, f"echo begun; setsid sleep {unique} & (sleep {unique} &) ; exec sleep {unique}", seconds=2)
    assert (outcome.timed_out, outcome.exit_code, outcome.stdout) == (True, None, "begun\n")
    eventually(lambda: not processes(unique), what="the end of all of them")


def test_what_it_leaves_behind_ends_with_it(sandbox: Sandbox) -> None:
    unique = f"60.{secrets.randbelow(10**9):09}"
    outcome = run(sandbox, f"setsid sleep {unique} >/dev/null 2>&1 & disown; echo done")
    assert (outcome.exit_code, outcome.stdout) == (0, "done\n")
    eventually(lambda: not processes(unique), what="the end of what was left behind")


def test_when_the_caller_gives_up_it_ends(sandbox: Sandbox) -> None:
    unique = f"60.{secrets.randbelow(10**9):09}"

    async def give_up() -> None:
        begun = asyncio.Event()

        async def told(_: float, news: str) -> None:
            begun.set()

        task = asyncio.create_task(Programs(sandbox, ()).run_code("bash", f"echo go; exec sleep {unique}", 60, told))
        await asyncio.wait_for(begun.wait(), 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(give_up())
    eventually(lambda: not processes(unique), what="its end")


def test_long_output_is_cut_and_endless_output_is_ended(sandbox: Sandbox) -> None:
    long = run(sandbox, "print('x' * 1_000_000)", "python")
    assert (long.exit_code, long.truncated, len(long.stdout)) == (0, True, OUTPUT_KEPT)
    endless = run(sandbox, "yes")
    assert (endless.exit_code, endless.truncated, endless.timed_out) == (None, True, False)


def test_what_it_writes_is_reported_while_it_runs(sandbox: Sandbox, folder: Path) -> None:
    told: list[tuple[float, str]] = []

    async def hear(seconds: float, news: str) -> None:
        told.append((seconds, news))
        if news:
            (folder / "heard").touch()

    outcome = run(sandbox, "echo one; until [ -e heard ]; do sleep 0.02; done; echo two", told=hear)
    assert outcome.stdout == "one\ntwo\n"
    assert "one\n" in [news for _, news in told]
    assert [seconds for seconds, _ in told] == sorted(seconds for seconds, _ in told)


def test_one_run_too_many_is_told_to_come_back(sandbox: Sandbox) -> None:
    async def crowd() -> list[Any]:
        one = Programs(sandbox, ()).run_code
        return await asyncio.gather(*(one("bash", "sleep 0.5", 20) for _ in range(AT_ONCE + 1)), return_exceptions=True)

    *first, last = asyncio.run(crowd())
    assert [outcome.exit_code for outcome in first] == [0] * AT_ONCE
    assert isinstance(last, ServiceError)
    assert (last.code, last.status) == ("busy", 429)


def test_only_allowed_commands_run_and_no_shell_reads_them(sandbox: Sandbox) -> None:
    programs = Programs(sandbox, allowed_commands("echo, ls not-there"))

    def command(*argv: str) -> Outcome:
        return asyncio.run(programs.run_command(argv, 20))

    assert command("echo", "$HOME", ";", "id", "*").stdout == "$HOME ; id *\n"
    for argv, code in (
        (["rm", "-rf", "/"], "command_not_allowed"),
        (["/usr/bin/echo"], "command_not_allowed"),
        (["./echo"], "command_not_allowed"),
        (["not-there"], "command_not_found"),
        (["echo", "a\0b"], "bad_request"),
    ):
        with pytest.raises(ServiceError) as caught:
            command(*argv)
        assert caught.value.code == code
    with pytest.raises(SettingError, match="without a path"):
        allowed_commands("ls /usr/bin/id")


def test_without_bubblewrap_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceError, match="sandbox_unavailable: bubblewrap is not installed") as caught:
        run(Sandbox(tmp_path), f"touch {tmp_path}/ran")
    assert caught.value.status == 503
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else, and others are that already")
def test_an_ordinary_user_has_the_same_sandbox(sandbox: Sandbox, tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    for parent in tmp_path.parents[:3]:
        parent.chmod(0o755)
    code = f"""
import asyncio, os, sys, asyncio.taskgroups, asyncio.timeouts, concurrent.futures.thread, pyseccomp, tempfile
from pathlib import Path
from examples.mcp_universal.sandbox import Sandbox
os.setgroups([]); os.setgid(65534); os.setuid(65534)
sys.base_prefix = "/usr"  # the interpreter of the tests may be closed to others
async def main():
    sandbox = Sandbox(Path({str(tmp_path)!r}))
    assert not await sandbox.problem(), await sandbox.problem()
    script = "id -u; readlink /proc/self/ns/user; unshare -U true && echo nested; touch made; cat /proc/1/environ; "
    script += "for n in $(seq 200); do sleep 60 & done; echo unlimited"
    outcome = await sandbox.run(["sh", "-c", script], seconds=20)
    print(outcome)
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert "fork" in ended.stdout
    assert "unlimited" not in ended.stdout
    assert "nested" not in ended.stdout
    assert os.readlink("/proc/self/ns/user") not in ended.stdout
    assert re.search(r"stdout='1000\\nuser:\[\d+\]\\n(?!.*HOME=)", ended.stdout)
    assert (tmp_path / "made").stat().st_uid == 65534
