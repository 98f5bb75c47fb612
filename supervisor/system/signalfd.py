"""Signals as something to read, with where they came from: signalfd(2), Linux 2.6.27."""

import os
import signal
import struct
from collections.abc import Collection

from supervisor.system import libc
from supervisor.system.contract import SignalQueue

_CLOEXEC_NONBLOCK = os.O_CLOEXEC | os.O_NONBLOCK
_INFO = struct.Struct("=Iii116x")  # signalfd_siginfo: number, errno, code, and more
_SI_KERNEL = 0x80  # sigaction(2): sent by the kernel, as for Ctrl-C at a terminal


class SignalFd(SignalQueue):
    """The signals are blocked from the beginning on, so nothing else happens because of them."""

    def __init__(self, numbers: Collection[int]) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        self._descriptor = libc.signalfd(numbers, _CLOEXEC_NONBLOCK)

    def fileno(self) -> int:
        return self._descriptor

    def read(self) -> list[tuple[int, bool]]:
        try:
            data = os.read(self._descriptor, 32 * _INFO.size)
        except BlockingIOError:
            return []
        return [(number, code == _SI_KERNEL) for number, _, code in _INFO.iter_unpack(data)]

    def close(self) -> None:
        os.close(self._descriptor)
