"""What may name a socket besides the descriptors of its process."""

import ctypes
import os
import socket
import sys
from collections.abc import Iterator

import pytest

from supervisor.system.registrations import uses_of

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
