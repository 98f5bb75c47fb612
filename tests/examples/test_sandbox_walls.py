"""What holds code in the sandbox beside the limits of a process: namespaces, refused system calls, memory in all."""

import asyncio
import os
import platform
import shutil
from pathlib import Path

import pytest

from examples.mcp_universal import box, filter
from examples.mcp_universal.box import MIB
from examples.mcp_universal.programs import Programs
from examples.mcp_universal.sandbox import Outcome, Sandbox, leak_in
from examples.web import ServiceError
from tests.support.needed import need

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def sandbox(folder: Path) -> Sandbox:
    need(shutil.which("bwrap"), "bubblewrap", "on Debian and Ubuntu: apt install bubblewrap")
    sandbox = Sandbox(folder)
    need(not (problem := asyncio.run(sandbox.problem())), "a working sandbox", problem)
    return sandbox


def run(sandbox: Sandbox, code: str, language: str = "bash", seconds: float = 30) -> Outcome:
    return asyncio.run(Programs(sandbox, ()).run_code(language, code, seconds))


def test_each_run_has_a_user_namespace_of_its_own(sandbox: Sandbox) -> None:
    seen = {run(sandbox, "readlink /proc/self/ns/user").stdout for _ in range(2)}
    assert len(seen) == 2
    assert os.readlink("/proc/self/ns/user") + "\n" not in seen


@pytest.mark.skipif(os.geteuid() != 0, reason="for any other user the code is that user")
def test_code_of_a_service_of_root_is_nobody_outside(sandbox: Sandbox, folder: Path) -> None:
    assert run(sandbox, "id -u; touch mine").stdout == "1000\n"
    assert (folder / "mine").stat().st_uid == 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_can_be_worked_in(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old\n")
    for place in (tmp_path, tmp_path / "old"):
        os.chown(place, 4242, 4242)
        place.chmod(0o700)
    sandbox = Sandbox(tmp_path)
    need(not (problem := asyncio.run(sandbox.problem())), "a working sandbox", problem)
    assert run(sandbox, "cat old; echo new > new").stdout == "old\n"
    assert (tmp_path / "new").read_text() == "new\n"


def test_no_namespace_can_be_made_in_it(sandbox: Sandbox) -> None:
    outcome = run(sandbox, "unshare --user true; unshare --mount true; unshare --net true; echo end")
    assert outcome.stdout == "end\n"
    assert outcome.stderr.count("Operation not permitted") == 3


def test_none_could_be_made_without_the_filter_either(sandbox: Sandbox) -> None:
    # bubblewrap says so for the user's own namespace, and box.py for the one that it makes.
    limit = run(sandbox, "cat /proc/sys/user/max_user_namespaces").stdout
    assert limit == "0\n" or os.geteuid() != 0


CALLS = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    return errno.errorcode.get(ctypes.get_errno(), "?") if libc.syscall(number, *arguments) < 0 else "done"
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers of system calls are those of x86-64")
@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("call(250, 0, -3, 0)", "EPERM"),  # keyctl(GET_KEYRING_ID, session)
        ("call(248, b'user', b'a', b'b', 1, -3)", "EPERM"),  # add_key
        ("call(101, 0, 0, 0, 0)", "EPERM"),  # ptrace(TRACEME)
        ("call(298, 0, 0, -1, -1, 0)", "EPERM"),  # perf_event_open
        ("call(321, 0, 0, 0)", "EPERM"),  # bpf
        ("call(323, 0)", "EPERM"),  # userfaultfd
        ("call(425, 1, 0)", "EPERM"),  # io_uring_setup
        ("call(447, 0)", "EPERM"),  # memfd_secret
        ("call(29, 0, 4096, 0o1600)", "EPERM"),  # shmget
        ("call(435, 0, 0)", "ENOSYS"),  # clone3
        ("call(56, 0x10000011, 0, 0, 0, 0)", "EPERM"),  # clone(CLONE_NEWUSER | SIGCHLD)
        ("call(16, 0, 0x5412, b'x')", "EPERM"),  # ioctl(TIOCSTI)
        ("call(16, 0, 0x100005412, b'x')", "EPERM"),  # the same to the kernel, which looks at 32 bits
        ("call(41, 40, 1, 0)", "EAFNOSUPPORT"),  # socket(AF_VSOCK)
        ("call(41, 0x100000028, 1, 0)", "EAFNOSUPPORT"),
        ("call(41, 38, 5, 0)", "EAFNOSUPPORT"),  # socket(AF_ALG)
        ("call(41, 1, 1, 0)", "done"),  # socket(AF_UNIX)
    ],
)
def test_calls_that_reach_the_kernel_are_refused(sandbox: Sandbox, code: str, answer: str) -> None:
    outcome = run(sandbox, f"{CALLS}print({code})", "python")
    assert (outcome.stdout, outcome.exit_code) == (f"{answer}\n", 0), outcome


@pytest.mark.skipif(platform.machine() != "x86_64", reason="needs the 32-bit calls of x86-64")
def test_calls_in_the_way_of_another_architecture_end_the_program(sandbox: Sandbox) -> None:
    machine_code = "b8 14 00 00 00 cd 80 c3"  # mov eax, 20 (getpid); int 0x80; ret
    code = (
        "import ctypes, mmap\npage = mmap.mmap(-1, 4096, prot=7)\n"
        f"page.write(bytes.fromhex('{machine_code}'))\n"
        "print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())\n"
    )
    outcome = run(sandbox, code, "python")
    assert (outcome.stdout, outcome.exit_code) == ("", 128 + 31)  # SIGSYS


def test_the_keys_of_the_service_are_not_to_be_seen(sandbox: Sandbox) -> None:
    assert run(sandbox, "cat /proc/keys /proc/key-users 2>/dev/null; echo end").stdout == "end\n"


HOLDS = "import time; print('kept', flush=True); time.sleep(60)"


@pytest.mark.parametrize(
    "code",
    [
        f"import mmap\nkept = mmap.mmap(-1, 1536 << 20)\nfor at in range(0, len(kept), 4096): kept[at] = 1\n{HOLDS}",
        f"import os\nkept = []\nfor _ in range(24):\n    kept.append(os.memfd_create('m'))\n"
        f"    os.write(kept[-1], bytes({60 * MIB}))\n{HOLDS}",
        f"import os\nfor _ in range(5):\n    if os.fork() == 0: break\nkept = bytearray({200 * MIB})\n"
        f"for at in range(0, len(kept), 4096): kept[at] = 1\n{HOLDS}",
    ],
    ids=["shared memory", "files in memory", "several processes"],
)
def test_what_all_its_programs_use_together_has_a_limit(sandbox: Sandbox, code: str) -> None:
    outcome = run(sandbox, code, "python")
    assert (outcome.out_of_memory, outcome.exit_code, outcome.timed_out) == (True, None, False), outcome
    assert run(sandbox, "echo fine").stdout == "fine\n"


def test_memory_that_programs_share_counts_once(sandbox: Sandbox) -> None:
    code = (
        f"import os\nkept = bytearray({300 * MIB})\nfor at in range(0, len(kept), 4096): kept[at] = 1\n"
        "for _ in range(3):\n    pid = os.fork()\n    if pid == 0:\n        import time; time.sleep(1); os._exit(0)\n"
        "for _ in range(3): os.wait()\nprint('done')\n"
    )
    outcome = run(sandbox, code, "python")
    assert (outcome.stdout, outcome.exit_code, outcome.out_of_memory) == ("done\n", 0, False)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("user:[1]\nNoNewPrivs:\t1\nSeccomp:\t2\n", "no user namespace of its own"),
        ("\nNoNewPrivs:\t1\nSeccomp:\t2\n", "no user namespace of its own"),
        ("user:[2]\nNoNewPrivs:\t0\nSeccomp:\t2\n", "could get privileges"),
        ("user:[2]\nNoNewPrivs:\t1\nSeccomp:\t0\n", "filter of system calls"),
        ("user:[2]\nSeccomp:\t2\n", "could get privileges"),
        ("user:[2]\nNoNewPrivs:\t1\nSeccomp:\t2\nnested\n", "can make user namespaces"),
    ],
)
def test_a_sandbox_that_is_not_shut_is_not_used(told: str, words: str) -> None:
    assert words in leak_in(told, "user:[1]")
    assert leak_in("user:[2]\nNoNewPrivs:\t1\nSeccomp:\t2\n", "user:[1]") == ""


def test_a_leak_is_found_by_running_something(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need(shutil.which("bwrap"), "bubblewrap", "on Debian and Ubuntu: apt install bubblewrap")
    import pyseccomp

    # A filter that forbids nothing, and a bubblewrap of before 0.8.
    monkeypatch.setattr(filter, "_REFUSED", ())
    monkeypatch.setattr(filter, "_NEW_NAMESPACES", ())
    monkeypatch.setattr(box, "_MAKER", "echo made; read line; echo not sealed; read line")
    monkeypatch.setattr(box, "can_disable_users", lambda _: False)
    monkeypatch.setattr(pyseccomp, "ERRNO", lambda _: pyseccomp.LOG)
    filter.program.cache_clear()
    try:
        with pytest.raises(ServiceError, match="can make user namespaces") as caught:
            run(Sandbox(folder), "true")
        assert caught.value.code == "sandbox_unavailable"
    finally:
        filter.program.cache_clear()
