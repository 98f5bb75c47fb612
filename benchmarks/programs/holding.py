"""What keeps ports, at the least: locks, bound sockets, and the look at them.  Part of floor.py."""

import contextlib
import fcntl
import os
import socket
import struct

NETLINK_SOCK_DIAG, NLMSG_DONE = 4, 3
# A request for all TCP sockets that listen, of both families: nlmsghdr and inet_diag_req, linux/inet_diag.h.
LISTENERS = struct.pack("=IHHII52xII", 76, 18, 0x301, 1, 0, 1 << 10, 0)


class Held:
    """The locks and the sockets that keep others off."""

    def __init__(self, folder: str, first: int, step: int, count: int) -> None:
        ports = range(first, first + step * count)
        self.locks = [os.path.join(folder, f"{name}.lock") for name in ("instance", *ports)]
        self.files = [os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600) for path in self.locks]
        self.covers: list[socket.socket] = []
        for file in self.files:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for port in (port for number, port in enumerate(ports) if number % step):
            for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
                cover = socket.socket(family)
                if family == socket.AF_INET6:
                    cover.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                cover.bind((address, port))
                self.covers.append(cover)

    def look(self) -> None:
        """Whether each file is there and locked, and who listens."""
        for path in self.locks:
            os.lstat(path)
            second = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(second)
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as asking:
            asking.send(LISTENERS)
            kind = 0
            while kind != NLMSG_DONE:
                told, at = asking.recv(1 << 15), 0
                while at < len(told) and kind != NLMSG_DONE:
                    length, kind = struct.unpack_from("=IH", told, at)
                    at += (length + 3) & ~3

    def release(self) -> None:
        for cover in self.covers:
            cover.close()
        for file in self.files:
            os.close(file)
