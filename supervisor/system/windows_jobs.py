"""Job objects: processes that are counted and ended together, with all that they start.

A job with JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE ends its processes when its last handle is closed, also by the end of the
process that has it, however that ends.  Source: "Job Objects", Windows API documentation.
"""

import ctypes
import sys
from ctypes import wintypes

assert sys.platform == "win32"

_KILL_ON_CLOSE = 0x2000
_PROCESS_ID_LIST = 3
_EXTENDED_LIMITS = 9
_FIRST_ROOM = 64  # processes; more are asked for again with more room
ERROR_MORE_DATA = 234

_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_kernel.CreateJobObjectW.restype = wintypes.HANDLE
_kernel.CreateJobObjectW.argtypes = (ctypes.c_void_p, wintypes.LPCWSTR)
_kernel.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
_kernel.SetInformationJobObject.argtypes = (wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD)
_kernel.QueryInformationJobObject.argtypes = (
    wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD, ctypes.c_void_p,
)  # fmt: skip
_kernel.TerminateJobObject.argtypes = (wintypes.HANDLE, wintypes.UINT)
_kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
_kernel.GetCurrentProcess.restype = wintypes.HANDLE


class _BasicLimits(ctypes.Structure):
    _fields_ = (
        ("per_process_time", ctypes.c_int64),
        ("per_job_time", ctypes.c_int64),
        ("flags", wintypes.DWORD),
        ("least_working_set", ctypes.c_size_t),
        ("most_working_set", ctypes.c_size_t),
        ("most_processes", wintypes.DWORD),
        ("affinity", ctypes.c_size_t),
        ("priority", wintypes.DWORD),
        ("scheduling", wintypes.DWORD),
    )


class _ExtendedLimits(ctypes.Structure):
    _fields_ = (
        ("basic", _BasicLimits),
        ("input_output", ctypes.c_uint64 * 6),
        ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t),
        ("peak_process_memory", ctypes.c_size_t),
        ("peak_job_memory", ctypes.c_size_t),
    )


class Job:
    """One job object; every method raises OSError where the system refuses."""

    def __init__(self) -> None:
        """A job whose processes end when it is closed, which our own end does too."""
        self._handle = _kernel.CreateJobObjectW(None, None)
        if not self._handle:
            raise ctypes.WinError(ctypes.get_last_error())
        limits = _ExtendedLimits()
        limits.basic.flags = _KILL_ON_CLOSE
        _check(
            _kernel.SetInformationJobObject(
                self._handle, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)
            )
        )

    def add(self, process: int) -> None:
        """Put the process of this handle into the job; what it starts from now on is in it, too."""
        _check(_kernel.AssignProcessToJobObject(self._handle, process))

    def add_us(self) -> None:
        """Put our own process into it."""
        self.add(_kernel.GetCurrentProcess())

    def pids(self) -> set[int]:
        """The processes in it that have not ended."""
        room = _FIRST_ROOM
        while True:

            class _List(ctypes.Structure):
                _fields_ = (
                    ("assigned", wintypes.DWORD),
                    ("listed", wintypes.DWORD),
                    ("pids", ctypes.c_size_t * room),
                )

            found = _List()
            is_whole = _kernel.QueryInformationJobObject(
                self._handle, _PROCESS_ID_LIST, ctypes.byref(found), ctypes.sizeof(found), None
            )
            if is_whole:
                return set(found.pids[: found.listed])
            if ctypes.get_last_error() != ERROR_MORE_DATA:
                raise ctypes.WinError(ctypes.get_last_error())
            room *= 4

    def terminate(self, code: int) -> None:
        """End every process in it with this exit code."""
        _check(_kernel.TerminateJobObject(self._handle, code))

    def close(self) -> None:
        """Give the job back, which ends what is left in it."""
        if self._handle:
            _kernel.CloseHandle(self._handle)
            self._handle = None


def _check(is_done: int) -> None:
    if not is_done:
        raise ctypes.WinError(ctypes.get_last_error())
