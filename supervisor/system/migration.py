"""The queue of a listening socket that is closed moves to another one of its reuseport group.  Linux 5.14.

Connections and handshakes move when the group has a BPF program that asks for it (bpf_sk_reuseport, attached as
BPF_SK_REUSEPORT_SELECT_OR_MIGRATE), or by the sysctl net.ipv4.tcp_migrate_req of the network namespace
(reuseport_migrate_sock in net/core/sock_reuseport.c).  Loading the program takes CAP_BPF and CAP_NET_ADMIN, or root.
"""

import contextlib
import ctypes
import errno
import functools
import os
import socket
import struct
from collections.abc import Sequence

from supervisor.system import libc

_NUMBERS = {"x86_64": 321, "aarch64": 280}  # bpf(2), asm/unistd.h
_MAP_CREATE, _MAP_UPDATE_ELEM, _PROG_LOAD = 0, 2, 5
_SOCKET_ARRAY = 20  # linux/bpf.h: BPF_MAP_TYPE_REUSEPORT_SOCKARRAY
_SK_REUSEPORT, _SELECT_OR_MIGRATE = 21, 40  # linux/bpf.h: BPF_PROG_TYPE_, and the attach type BPF_SK_REUSEPORT_
_EXPECTED_ATTACH_TYPE = 68  # offset in union bpf_attr
_SELECT = 82  # the helper bpf_sk_select_reuseport(context, map, key, flags)
_SK_PASS = 1  # without a choice of its own: the kernel takes one of the group by the connection's hash
_SO_ATTACH_REUSEPORT_EBPF = 52  # asm-generic/socket.h
_SYSCTL = "/proc/sys/net/ipv4/tcp_migrate_req"




def _instruction(code: int, to: int = 0, of: int = 0, *, offset: int = 0, value: int = 0) -> bytes:
    """A `struct bpf_insn`: `to` and `of` are registers."""
    return struct.pack("=BBhi", code, of << 4 | to, offset, value)


_MOVE_IMMEDIATE, _MOVE, _ADD_IMMEDIATE, _REMAINDER_IMMEDIATE, _CALL, _EXIT = 0xB7, 0xBF, 0x07, 0x97, 0x85, 0x95
_LOAD_WORD, _STORE_WORD = 0x61, 0x63  # from and to memory
_HASH_AT = 32  # of the connection, in struct sk_reuseport_md
_LOAD_LONG, _IS_MAP = 0x18, 1  # of two instructions; BPF_PSEUDO_MAP_FD as the register that it is of
_PASS = _instruction(_MOVE_IMMEDIATE, 0, value=_SK_PASS) + _instruction(_EXIT)


@functools.cache
def _program() -> int | None:
    """The descriptor of the program, for as long as we live; None where it cannot be had."""
    with contextlib.suppress(OSError):
        return _load(_PASS)
    return None


def _load(*code: bytes) -> int:
    """The descriptor, which is close-on-exec, of a program that chooses of a group; raises OSError."""
    joined = b"".join(code)
    instructions, licence = ctypes.create_string_buffer(joined, len(joined)), ctypes.create_string_buffer(b"GPL")
    attributes = ctypes.create_string_buffer(128)
    head = (_SK_REUSEPORT, len(joined) // 8, ctypes.addressof(instructions), ctypes.addressof(licence))
    struct.pack_into("=IIQQ", attributes, 0, *head)
    struct.pack_into("=I", attributes, _EXPECTED_ATTACH_TYPE, _SELECT_OR_MIGRATE)
    return _bpf(_PROG_LOAD, attributes)


def _bpf(command: int, attributes: "ctypes.Array[ctypes.c_char]") -> int:
    number = _NUMBERS.get(os.uname().machine)
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    return libc.syscall(number, command, ctypes.addressof(attributes), len(attributes))


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


def lead_to_some(chosen: Sequence[socket.socket]) -> bool:
    """Have all who connect to a group get to some of its sockets, and what waits at others when these are closed.

    By the hash of each connection, and whichever others are closed; False where it cannot be had.  A socket cannot be
    chosen twice at the same time (reuseport_array_update_check in kernel/bpf/reuseport_array.c).
    """
    with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
        sockets = _array_of(chosen)
        opened.callback(os.close, sockets)
        stack, key_at = 10, -4  # the register of the stack, and where the key is on it
        program = _load(
            _instruction(_LOAD_WORD, 0, 1, offset=_HASH_AT), _instruction(_REMAINDER_IMMEDIATE, value=len(chosen)),
            _instruction(_STORE_WORD, stack, offset=key_at),
            _instruction(_LOAD_LONG, 2, _IS_MAP, value=sockets), _instruction(0),
            _instruction(_MOVE, 3, stack), _instruction(_ADD_IMMEDIATE, 3, value=key_at),
            _instruction(_MOVE_IMMEDIATE, 4, value=0),
            _instruction(_CALL, value=_SELECT),
            _PASS,
        )  # fmt: skip
        opened.callback(os.close, program)
        chosen[0].setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_EBPF, program)
        return True
    return False


def _array_of(chosen: Sequence[socket.socket]) -> int:
    """The descriptor of a map in which a program finds sockets by their places."""
    attributes = ctypes.create_string_buffer(128)
    struct.pack_into("=4I", attributes, 0, _SOCKET_ARRAY, 4, 8, len(chosen))  # sizes of a key and a value, how many
    sockets = _bpf(_MAP_CREATE, attributes)
    try:
        for place, sock in enumerate(chosen):
            key, value = ctypes.c_uint32(place), ctypes.c_uint64(sock.fileno())
            attributes = ctypes.create_string_buffer(128)
            struct.pack_into("=I4xQQ", attributes, 0, sockets, ctypes.addressof(key), ctypes.addressof(value))
            _bpf(_MAP_UPDATE_ELEM, attributes)
    except BaseException:
        os.close(sockets)
        raise
    return sockets
