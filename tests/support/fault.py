"""A real fault in another process: a bad address in its instruction pointer, by ptrace(2)."""

import ctypes
import errno
import os
import platform
import signal

import pytest

_ATTACH, _DETACH, _GETREGS, _SETREGS = 16, 17, 12, 13  # sys/ptrace.h, x86-64
_RIP, _ORIG_RAX, _REGISTERS = 16, 15, 27  # sys/user.h, user_regs_struct: words of 8 bytes


def make_fault(pid: int) -> None:
    """Has the process die of SIGSEGV; skips the test where this is not known how to do.

    Raises ProcessLookupError where it is gone.
    """
    if platform.machine() != "x86_64":
        pytest.skip("knows the registers of x86-64 only")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    registers = (ctypes.c_ulong * _REGISTERS)()
    if libc.ptrace(_ATTACH, pid, None, None):
        number = ctypes.get_errno()
        if number == errno.ESRCH:
            raise ProcessLookupError(number, os.strerror(number))
        pytest.skip(f"may not trace: {os.strerror(number)}")
    os.waitpid(pid, 0x40000000)  # __WALL
    libc.ptrace(_GETREGS, pid, None, registers)
    registers[_RIP] = 8
    registers[_ORIG_RAX] = ctypes.c_ulong(-1).value  # or the system call that it waits in would begin again
    libc.ptrace(_SETREGS, pid, None, registers)
    libc.ptrace(_DETACH, pid, None, None)
    os.kill(pid, signal.SIGCONT)
