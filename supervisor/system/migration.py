"""The queue of a listening socket that is closed moves to another one of its reuseport group.  Linux 5.14.

Connections and handshakes move when the group has a BPF program that asks for it (bpf_sk_reuseport, attached as
BPF_SK_REUSEPORT_SELECT_OR_MIGRATE), or by the sysctl net.ipv4.tcp_migrate_req of the network namespace
(reuseport_migrate_sock in net/core/sock_reuseport.c).  Loading the program takes CAP_BPF and CAP_NET_ADMIN, or root.
"""

import contextlib
import ctypes
import functools
import os
import socket
import struct

from supervisor.system import libc

_NUMBERS = {"x86_64": 321, "aarch64": 280}  # bpf(2), asm/unistd.h
_PROG_LOAD = 5
_SK_REUSEPORT, _SELECT_OR_MIGRATE = 21, 40  # linux/bpf.h: BPF_PROG_TYPE_, and the attach type BPF_SK_REUSEPORT_
_EXPECTED_ATTACH_TYPE = 68  # offset in union bpf_attr
_MOVE_IMMEDIATE, _EXIT = 0xB7, 0x95
_SK_PASS = 1  # without a choice of its own: the kernel takes one of the group by the connection's hash
_SO_ATTACH_REUSEPORT_EBPF = 52  # asm-generic/socket.h
_SYSCTL = "/proc/sys/net/ipv4/tcp_migrate_req"


@functools.cache
def _program() -> int | None:
    """The descriptor of the program, for as long as we live; None where it cannot be had."""
    number = _NUMBERS.get(os.uname().machine)
    if number is None:
        return None
    code = struct.pack("=BBhi", _MOVE_IMMEDIATE, 0, 0, _SK_PASS) + struct.pack("=BBhi", _EXIT, 0, 0, 0)
    instructions, licence = ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(b"GPL")
    attributes = ctypes.create_string_buffer(128)
    head = (_SK_REUSEPORT, len(code) // 8, ctypes.addressof(instructions), ctypes.addressof(licence))
    struct.pack_into("=IIQQ", attributes, 0, *head)
    struct.pack_into("=I", attributes, _EXPECTED_ATTACH_TYPE, _SELECT_OR_MIGRATE)
    with contextlib.suppress(OSError):
        return libc.syscall(number, _PROG_LOAD, ctypes.addressof(attributes), len(attributes))  # it is close-on-exec
    return None


def moves_by_program() -> bool:
    """Whether a BPF program can be had that moves what waits."""
    return _program() is not None


def moves_by_sysctl() -> bool:
    """Whether net.ipv4.tcp_migrate_req is on now, in our network namespace; ip-sysctl.rst of the kernel."""
    try:
        with open(_SYSCTL, "rb", buffering=0) as file:
            return file.read(2).strip() != b"0"
    except OSError:
        return False


def attach(listening: socket.socket) -> bool:
    """Give the program to the group of a socket that listens; whether it took it (MPTCP does not)."""
    program = _program()
    if program is None:
        return False
    try:
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_EBPF, program)
    except OSError:
        return False
    return True
