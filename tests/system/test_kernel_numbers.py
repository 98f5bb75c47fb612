"""The numbers by which we call the kernel, against its headers: of this machine, and of the other one that we know."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.system import beneath, held_calls, linux_sockets, migration, registrations, seccomp
from tests.support.needed import need

pytestmark = pytest.mark.live

GNU = {"x86_64": "x86_64-linux-gnu", "aarch64": "aarch64-linux-gnu"}
HEADERS = (
    "asm/ioctl.h", "asm/unistd.h", "asm/socket.h", "linux/audit.h", "linux/bpf.h", "linux/eventpoll.h", "linux/in.h",
    "linux/in6.h", "linux/kcmp.h", "linux/seccomp.h",
)  # fmt: skip
# In `linux/bpf.h` constants are of enumerations, which the preprocessor does not know: the compiler compares.
EVERYWHERE: dict[str, Callable[[str], int]] = {
    "AUDIT_ARCH_{audit}": lambda machine: seccomp.MACHINES[machine].audit,
    "__NR_bind": lambda machine: seccomp.MACHINES[machine].bind,
    "__NR_listen": lambda machine: seccomp.MACHINES[machine].listen,
    "__NR_seccomp": lambda machine: seccomp.MACHINES[machine].seccomp,
    "__NR_pidfd_getfd": lambda _: seccomp.PIDFD_GETFD,
    "__NR_bpf": lambda machine: migration._NUMBERS[machine],
    "__NR_epoll_ctl": lambda machine: registrations._EPOLL_CTL[machine],
    "__NR_unshare": lambda machine: registrations._UNSHARE[machine],
    "__NR_kcmp": lambda machine: linux_sockets._KCMP[machine],
    "KCMP_FILES": lambda _: linux_sockets._KCMP_FILES,
    "EPOLL_CTL_ADD": lambda _: registrations._EPOLL_ADD,
    "EPOLL_CTL_DEL": lambda _: registrations._EPOLL_DEL,
    "sizeof(struct epoll_event)": lambda machine: 12 if machine == "x86_64" else 16,
    "__builtin_offsetof(struct epoll_event, data)": lambda machine: 4 if machine == "x86_64" else 8,
    "BPF_PROG_LOAD": lambda _: migration._PROG_LOAD,
    "BPF_PROG_TYPE_SK_REUSEPORT": lambda _: migration._SK_REUSEPORT,
    "BPF_SK_REUSEPORT_SELECT_OR_MIGRATE": lambda _: migration._SELECT_OR_MIGRATE,
    "__builtin_offsetof(union bpf_attr, expected_attach_type)": lambda _: migration._EXPECTED_ATTACH_TYPE,
    "__builtin_offsetof(union bpf_attr, insns)": lambda _: 8,
    "__builtin_offsetof(union bpf_attr, license)": lambda _: 16,
    "BPF_ALU64 | BPF_MOV | BPF_K": lambda _: migration._MOVE_IMMEDIATE,
    "BPF_JMP | BPF_EXIT": lambda _: migration._EXIT,
    "SK_PASS": lambda _: migration._SK_PASS,
    "SO_ATTACH_REUSEPORT_EBPF": lambda _: migration._SO_ATTACH_REUSEPORT_EBPF,
    "SO_REUSEPORT": lambda _: beneath._SO_REUSEPORT,
    "IPPROTO_MPTCP": lambda _: beneath.MPTCP,
    "IP_FREEBIND": lambda _: beneath._IP_FREEBIND,
    "IPV6_FREEBIND": lambda _: beneath._IPV6_FREEBIND,
    "SECCOMP_SET_MODE_FILTER": lambda _: seccomp._SET_MODE_FILTER,
    "SECCOMP_GET_ACTION_AVAIL": lambda _: seccomp._GET_ACTION_AVAIL,
    "SECCOMP_GET_NOTIF_SIZES": lambda _: seccomp._GET_NOTIF_SIZES,
    "SECCOMP_FILTER_FLAG_NEW_LISTENER": lambda _: seccomp._NEW_LISTENER,
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV": lambda _: seccomp._WAIT_KILLABLE_RECV,
    "SECCOMP_RET_ALLOW": lambda _: seccomp._ALLOW,
    "SECCOMP_RET_USER_NOTIF": lambda _: seccomp._NOTIFY,
    "sizeof(struct seccomp_notif)": lambda _: seccomp._NOTIFICATION_SIZE,
    "sizeof(struct seccomp_notif_resp)": lambda _: seccomp._ANSWER_SIZE,
    "sizeof(struct seccomp_notif_addfd)": lambda _: held_calls._ADDFD.size,
    "SECCOMP_IOCTL_NOTIF_RECV": lambda _: held_calls._RECEIVE,
    "SECCOMP_IOCTL_NOTIF_SEND": lambda _: held_calls._SEND,
    "SECCOMP_IOCTL_NOTIF_ID_VALID": lambda _: held_calls._ID_VALID,
    "SECCOMP_IOCTL_NOTIF_ADDFD": lambda _: held_calls._ADD,
    "SECCOMP_USER_NOTIF_FLAG_CONTINUE": lambda _: held_calls._CONTINUE,
    "SECCOMP_ADDFD_FLAG_SETFD": lambda _: held_calls._SETFD,
}  # fmt: skip


def folders(machine: str) -> list[str]:
    """Where the headers of an architecture are; none where they are not installed."""
    if machine == os.uname().machine:
        return [f"/usr/include/{GNU[machine]}", "/usr/include"]
    cross = Path("/usr", GNU[machine], "include")
    return [str(cross)] if (cross / "asm/unistd.h").exists() else []


@pytest.mark.parametrize("machine", GNU)
def test_numbers_and_sizes_are_those_of_the_kernels_headers(machine: str, tmp_path: Path) -> None:
    need(shutil.which("gcc"), "gcc", "on Debian and Ubuntu: apt install gcc libc6-dev")
    package = f"linux-libc-dev-{ {'x86_64': 'amd64', 'aarch64': 'arm64'}[machine] }-cross"
    where = folders(machine)
    need(where, f"the kernel's headers of {machine}", f"on Debian and Ubuntu: apt install {package}")
    lines = [f"#include <{header}>" for header in HEADERS]
    for what, value in EVERYWHERE.items():
        name = what.replace("{audit}", machine.upper())
        lines.append(f'_Static_assert((unsigned long)({name}) == {value(machine)}ul, "{name}");')
    source = tmp_path / "numbers.c"
    source.write_text("\n".join(lines) + "\n")
    named = [f"-U__{each}__" for each in GNU if each != machine]
    done = subprocess.run(
        ["gcc", "-fsyntax-only", "-nostdinc", *named, f"-D__{machine}__", *(f"-I{each}" for each in where), source],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_an_entry_of_epoll_is_as_long_as_this_machine_has_it() -> None:
    assert registrations._EVENT.size == EVERYWHERE["sizeof(struct epoll_event)"](os.uname().machine)
