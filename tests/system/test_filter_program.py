"""The filter's instructions, run by a little interpreter: which calls of which architecture are put before us."""

import struct

import pytest

from supervisor.system.seccomp import MACHINES, filter_program

ALLOW, NOTIFY = 0x7FFF0000, 0x7FC00000  # linux/seccomp.h
X86_64, I386, AARCH64, ARM = 0xC000003E, 0x40000003, 0xC00000B7, 0x40000028  # linux/audit.h


def run(program: bytes, architecture: int, call: int, *arguments: int) -> int:
    """What the filter returns for one system call; only the instructions that ours is made of are known."""
    data = struct.pack("=iIQ6Q", call, architecture, 0, *arguments, *[0] * (6 - len(arguments)))  # struct seccomp_data
    instructions = list(struct.iter_unpack("=HBBI", program))
    at = accumulator = 0
    while True:
        code, if_true, if_false, operand = instructions[at]
        at += 1
        if code == 0x20:  # BPF_LD | BPF_W | BPF_ABS
            (accumulator,) = struct.unpack_from("=I", data, operand)
        elif code == 0x15:  # BPF_JMP | BPF_JEQ | BPF_K
            at += if_true if accumulator == operand else if_false
        elif code == 0x45:  # BPF_JMP | BPF_JSET | BPF_K
            at += if_true if accumulator & operand else if_false
        else:
            assert code == 0x06, "BPF_RET | BPF_K"
            return int(operand)


@pytest.mark.parametrize(
    ("machine", "architecture", "bind", "listen", "other"),
    [("x86_64", X86_64, 49, 50, I386), ("aarch64", AARCH64, 200, 201, ARM)],
)
def test_bind_and_listen_of_its_own_architecture_are_notified_and_nothing_else(
    machine: str, architecture: int, bind: int, listen: int, other: int
) -> None:
    program = filter_program(MACHINES[machine])
    notified = [call for call in range(-1, 600) if run(program, architecture, call) == NOTIFY]
    assert notified == [bind, listen]
    assert {run(program, architecture, call) for call in range(-1, 600)} == {ALLOW, NOTIFY}
    assert {run(program, other, call) for call in range(-1, 600)} == {ALLOW}


@pytest.mark.parametrize(("machine", "architecture", "other"), [("x86_64", X86_64, I386), ("aarch64", AARCH64, ARM)])
def test_a_filter_with_a_descriptor_of_its_own_is_notified_and_no_other_use_of_seccomp(
    machine: str, architecture: int, other: int
) -> None:
    """SECCOMP_SET_MODE_FILTER is 1, SECCOMP_FILTER_FLAG_NEW_LISTENER is 8, SECCOMP_FILTER_FLAG_TSYNC is 1."""
    program, call = filter_program(MACHINES[machine]), MACHINES[machine].seccomp
    for flags in (8, 9, 8 | 32):
        for address in (1 << 12, 1 << 32, 0x7FFF_FFFF_F000):
            assert run(program, architecture, call, 1, flags, address) == NOTIFY
            assert run(program, other, call, 1, flags, address) == ALLOW
        assert run(program, architecture, call, 1, flags, 0) == ALLOW, "libseccomp asks so for what the kernel knows"
    for arguments in ((1, 0, 1), (1, 1, 1), (0, 0, 1), (2, 8, 1), (3, 8, 1)):
        assert run(program, architecture, call, *arguments) == ALLOW


def test_the_filter_of_aarch64_is_these_bytes() -> None:
    assert filter_program(MACHINES["aarch64"]).hex(" ", 8) == " ".join((
        "2000000004000000", "1500000cb70000c0", "2000000000000000", "15000b00c8000000",
        "15000a00c9000000", "1500000815010000", "2000000010000000", "1500000601000000",
        "2000000018000000", "4500000408000000", "2000000020000000", "1500000300000000",
        "2000000024000000", "1500000100000000", "060000000000ff7f", "060000000000c07f",
    ))  # fmt: skip
