"""Who listens on which TCP port: GetExtendedTcpTable of iphlpapi, which names the owner of each socket."""

import ctypes
import socket
import struct
import sys
from collections.abc import Callable, Collection, Iterator
from typing import Any

from supervisor.system.contract import Listener

assert sys.platform == "win32"

# TCP_TABLE_BASIC_LISTENER, TCP_TABLE_BASIC_ALL, and those that name the owners, which take longer.
_LISTENERS, _ALL, _WITH_OWNERS = 0, 2, 3
_TOO_SMALL = 122  # ERROR_INSUFFICIENT_BUFFER
_LISTEN = 2  # MIB_TCP_STATE_LISTEN
_ROOM = 1 << 16  # bytes that most tables fit in; the first call counts, as each is as slow as the whole table
# MIB_TCPROW, MIB_TCP6ROW and the same with owners; ports are in network order in their first two bytes.
_ROW4, _ROW4_OWNED = struct.Struct("=I4sI4sI"), struct.Struct("=I4sI4sII")
_ROW6, _ROW6_OWNED = struct.Struct("=I16sII16sII"), struct.Struct("=16sII16sIIII")

_iphlpapi = ctypes.WinDLL("iphlpapi")


# Wine answers in half a second up to many, and names no owner (8.0): its host's table is read instead.
_IS_WINE = hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")
_HOST_LISTENS = "0A"


def sockets(ports: Collection[int] | None, *, only_listening: bool = False) -> list[Listener]:
    """The TCP sockets with one of these local ports, None: with any.  Raises OSError.

    `pid` is 0 where the system does not tell: of connections that are over, and of all under wine.
    """
    if _IS_WINE:
        all_of_them = [*_of_host(socket.AF_INET), *_of_host(socket.AF_INET6)]
        found = [each for each in all_of_them if each.listening or not only_listening]
        return [each for each in found if ports is None or each.port in ports]
    return told(ports, only_listening=only_listening)


def told(ports: Collection[int] | None, *, only_listening: bool = False) -> list[Listener]:
    """The same by GetExtendedTcpTable."""
    kind = _LISTENERS if only_listening else _ALL
    found = [each for each in _found(kind, _v4, _v6) if ports is None or each.port in ports]
    if not found:
        return found
    return [each for each in _found(kind + _WITH_OWNERS, _v4_owned, _v6_owned) if ports is None or each.port in ports]


def _found(kind: int, *readers: Callable[[bytes], Iterator[Listener]]) -> Iterator[Listener]:
    for family, rows in zip((socket.AF_INET, socket.AF_INET6), readers, strict=True):
        yield from rows(_table(family, kind))


def _table(family: socket.AddressFamily, kind: int) -> bytes:
    size = ctypes.c_ulong(_ROOM)
    for _ in range(10):
        room = ctypes.create_string_buffer(size.value)
        code = _iphlpapi.GetExtendedTcpTable(room, ctypes.byref(size), 0, int(family), kind, 0)
        if code == 0:
            return room.raw
        if code != _TOO_SMALL:
            return bytes(4)  # a family that this machine has not
        size.value += _ROOM
    raise OSError(_TOO_SMALL, "the table of sockets grows faster than it can be read")


def _rows(table: bytes, row: struct.Struct) -> Iterator[tuple[Any, ...]]:
    for number in range(int.from_bytes(table[:4], "little")):
        yield row.unpack_from(table, 4 + number * row.size)


def _listener(family: socket.AddressFamily, state: int, address: bytes, port: int, pid: int = 0) -> Listener:
    number = socket.ntohs(port & 0xFFFF)
    return Listener(number, family, socket.inet_ntop(family, address), pid=pid, listening=state == _LISTEN)


def _v4(table: bytes) -> Iterator[Listener]:
    return (_listener(socket.AF_INET, *row[:3]) for row in _rows(table, _ROW4))


def _v4_owned(table: bytes) -> Iterator[Listener]:
    return (_listener(socket.AF_INET, row[0], row[1], row[2], row[5]) for row in _rows(table, _ROW4_OWNED))


def _v6(table: bytes) -> Iterator[Listener]:
    return (_listener(socket.AF_INET6, row[0], row[1], row[3]) for row in _rows(table, _ROW6))


def _v6_owned(table: bytes) -> Iterator[Listener]:
    return (_listener(socket.AF_INET6, row[6], row[0], row[2], row[7]) for row in _rows(table, _ROW6_OWNED))


def _of_host(family: socket.AddressFamily) -> Iterator[Listener]:
    """Of the Linux below wine, proc(5); whose they are is not told, as processes have other numbers there."""
    size = 4 if family == socket.AF_INET else 16
    try:
        with open(r"Z:\proc\net\tcp" + ("" if size == 4 else "6"), "rb") as file:
            lines = file.read().decode().splitlines()[1:]
    except OSError:
        return
    for line in lines:
        _, local, _, state, *_ = line.split()
        address, _, port = local.partition(":")
        words = [bytes.fromhex(address)[start : start + 4][::-1] for start in range(0, size, 4)]
        name = socket.inet_ntop(family, b"".join(words))
        yield Listener(int(port, 16), family, name, listening=state == _HOST_LISTENS)
