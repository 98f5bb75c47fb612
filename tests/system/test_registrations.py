"""What may name a socket besides the descriptors of its process."""

import ctypes
import os
import select
import socket
import sys
from collections.abc import Iterator

import pytest

from supervisor.system.registrations import register_again, uses_of

pytestmark = [pytest.mark.live, pytest.mark.skipif(sys.platform != "linux", reason="io_uring is of Linux")]

SETUP, REGISTER, REGISTER_FILES = 425, 427, 2  # asm/unistd.h, linux/io_uring.h


@pytest.fixture
def ring() -> Iterator[int]:
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.syscall(SETUP, 8, ctypes.create_string_buffer(120))
    if descriptor < 0:
        pytest.skip("io_uring is switched off here")
    yield descriptor
    os.close(descriptor)


def test_an_io_uring_that_waits_for_nothing_is_no_obstacle(ring: int) -> None:
    with socket.socket() as sock:
        assert uses_of(os.getpid(), sock).obstacle == ""


def test_one_that_has_the_socket_registered_is_one(ring: int) -> None:
    with socket.socket() as sock, socket.socket() as other:
        files = (ctypes.c_int * 1)(sock.fileno())
        assert ctypes.CDLL(None).syscall(REGISTER, ring, REGISTER_FILES, files, 1) == 0
        assert uses_of(os.getpid(), sock).obstacle == "it uses io_uring"
        assert uses_of(os.getpid(), other).obstacle == ""


def test_an_epoll_descriptor_under_two_numbers_is_told_of_the_new_socket_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock, socket.create_server(("127.0.0.1", 0)) as after:
        address = after.getsockname()
        with select.epoll() as poll, select.epoll.fromfd(os.dup(poll.fileno())) as again, sock.dup() as before:
            poll.register(sock, select.EPOLLIN)
            uses = uses_of(os.getpid(), sock)
            assert [each.number for each in uses.entries] == [sock.fileno()] * 2
            os.dup2(after.fileno(), sock.fileno(), inheritable=False)
            register_again(os.getpid(), uses, before, after)
            with socket.create_connection(address, 5):
                assert poll.poll(5) == again.poll(5) == [(sock.fileno(), select.EPOLLIN)]
