r"""The control socket of Windows: a named pipe that its user alone may open, and that no other machine reaches.

A pipe is carried into sockets by two threads a connection, because the event loop waits for sockets.  Its access list
names the user who made it and nobody else; without one everybody may read from a named pipe ("Named Pipe Security and
Access Rights", Windows API documentation).
"""

import _winapi
import contextlib
import ctypes
import hashlib
import os
import socket
import sys
import threading
import time
from ctypes import wintypes
from typing import Any

assert sys.platform == "win32"

_FIRST_INSTANCE = 0x00080000
_REJECT_REMOTE = 0x8
_SQOS_IDENTIFICATION = 0x00100000 | 0x00010000  # whoever has put up a pipe of that name shall not act as us
_SIZE = 1 << 16
_ERROR_BROKEN_PIPE, _ERROR_PIPE_CONNECTED, _ERROR_PIPE_BUSY, _ERROR_OPERATION_ABORTED = 109, 535, 231, 995
_TOKEN_QUERY, _TOKEN_USER = 0x8, 1
_SDDL_REVISION = 1

_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_advapi = ctypes.WinDLL("advapi32", use_last_error=True)
_kernel.GetCurrentProcess.restype = wintypes.HANDLE
_kernel.LocalFree.argtypes = (ctypes.c_void_p,)
_advapi.OpenProcessToken.argtypes = (wintypes.HANDLE, wintypes.DWORD, ctypes.POINTER(wintypes.HANDLE))
_advapi.GetTokenInformation.argtypes = (
    wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD, ctypes.POINTER(wintypes.DWORD),
)  # fmt: skip
_advapi.ConvertSidToStringSidW.argtypes = (ctypes.c_void_p, ctypes.POINTER(wintypes.LPWSTR))
_advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW.argtypes = (
    wintypes.LPCWSTR, wintypes.DWORD, ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p,
)  # fmt: skip


class _Attributes(ctypes.Structure):
    _fields_ = (("length", wintypes.DWORD), ("descriptor", ctypes.c_void_p), ("inherit", wintypes.BOOL))


def control_address(path: str) -> str:
    """The name of the pipe that stands for a socket at `path`: names of pipes are those of the machine."""
    folder, name = os.path.split(path)
    where = hashlib.sha256(os.path.normcase(os.path.abspath(folder)).encode()).hexdigest()[:16]
    return rf"\\.\pipe\portsup-{where}-{name}"


def our_sid() -> str:
    """The security identifier of our user, in words; raises OSError."""
    token, size = wintypes.HANDLE(), wintypes.DWORD()
    _check(_advapi.OpenProcessToken(_kernel.GetCurrentProcess(), _TOKEN_QUERY, ctypes.byref(token)))
    try:
        _advapi.GetTokenInformation(token, _TOKEN_USER, None, 0, ctypes.byref(size))
        room = ctypes.create_string_buffer(size.value)
        _check(_advapi.GetTokenInformation(token, _TOKEN_USER, room, size, ctypes.byref(size)))
        words = wintypes.LPWSTR()
        _check(_advapi.ConvertSidToStringSidW(ctypes.c_void_p.from_buffer(room), ctypes.byref(words)))
        try:
            return words.value or ""
        finally:
            _kernel.LocalFree(words)
    finally:
        _winapi.CloseHandle(token.value or 0)


def access_list() -> str:
    """Who may open the pipe, in the Security Descriptor Definition Language: we, and nothing is inherited."""
    return f"D:P(A;;GA;;;{our_sid()})"


def _check(is_done: int) -> None:
    if not is_done:
        raise ctypes.WinError(ctypes.get_last_error())


def _pipe(name: str, *, is_first: bool) -> int:
    descriptor = ctypes.c_void_p()
    _check(
        _advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW(
            access_list(), _SDDL_REVISION, ctypes.byref(descriptor), None
        )
    )
    attributes = _Attributes(ctypes.sizeof(_Attributes), descriptor, False)
    try:
        return _winapi.CreateNamedPipe(
            name, _winapi.PIPE_ACCESS_DUPLEX | _winapi.FILE_FLAG_OVERLAPPED | (_FIRST_INSTANCE if is_first else 0),
            _REJECT_REMOTE | _winapi.PIPE_WAIT, _winapi.PIPE_UNLIMITED_INSTANCES, _SIZE, _SIZE, 0,
            ctypes.addressof(attributes),
        )  # fmt: skip
    finally:
        _kernel.LocalFree(descriptor)


class ControlListener:
    """Takes connections; what `accept` gives is a socket like that of every other system.  Raises OSError."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._waiting: list[socket.socket] = []
        self._lock = threading.Lock()
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._is_closed = False
        self._handle = _pipe(address, is_first=True)
        threading.Thread(target=self._take, daemon=True).start()

    def fileno(self) -> int:
        """Readable when somebody has come; -1 once it is closed."""
        return self._ours.fileno()

    def accept(self) -> tuple[socket.socket, None]:
        """The next connection; raises BlockingIOError where there is none."""
        self._ours.recv(1)
        with self._lock:
            return self._waiting.pop(0), None

    def close(self) -> None:
        """Take no more."""
        self._is_closed = True
        with contextlib.suppress(OSError):  # ends the wait for who comes next
            _winapi.CloseHandle(_open(self._address))
        self._ours.close()

    def _take(self) -> None:
        handle = self._handle
        while True:
            try:
                _until_connected(handle)
                if self._is_closed:
                    break
                following = _pipe(self._address, is_first=False)
            except OSError:
                break
            ours, theirs = socket.socketpair()
            _carry_both_ways(handle, ours)
            with self._lock:
                self._waiting.append(theirs)
            handle = following
            with contextlib.suppress(OSError):
                self._theirs.send(b"\0")
        _winapi.CloseHandle(handle)
        self._theirs.close()


def _until_connected(handle: int) -> None:
    operation = _winapi.ConnectNamedPipe(handle, overlapped=True)
    operation.GetOverlappedResult(True)


def _carry_both_ways(handle: int, sock: socket.socket) -> None:
    left = [2]
    lock = threading.Lock()

    def done() -> None:
        with lock:
            left[0] -= 1
            if not left[0]:
                sock.close()
                _winapi.CloseHandle(handle)

    def inward() -> None:
        with contextlib.suppress(OSError):
            while data := _read(handle, _SIZE):
                sock.sendall(data)
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_WR)
        done()

    def outward() -> None:
        with contextlib.suppress(OSError):
            while data := sock.recv(_SIZE):
                _write(handle, data)
            _kernel.FlushFileBuffers(wintypes.HANDLE(handle))
        with contextlib.suppress(OSError):
            _kernel.DisconnectNamedPipe(wintypes.HANDLE(handle))
        done()

    for work in (inward, outward):
        threading.Thread(target=work, daemon=True).start()


def _read(handle: int, size: int) -> bytes:
    operation, _ = _winapi.ReadFile(handle, size, overlapped=True)
    return _result(operation)


def _result(operation: Any) -> bytes:
    count, _ = operation.GetOverlappedResult(True)
    return bytes(operation.getbuffer()[:count])


def _write(handle: int, data: bytes) -> None:
    while data:
        operation, _ = _winapi.WriteFile(handle, data, overlapped=True)
        count, _ = operation.GetOverlappedResult(True)
        data = data[count:]


def _open(address: str) -> int:
    return _winapi.CreateFile(
        address, _winapi.GENERIC_READ | _winapi.GENERIC_WRITE, 0, 0, _winapi.OPEN_EXISTING,
        _winapi.FILE_FLAG_OVERLAPPED | _SQOS_IDENTIFICATION, 0,
    )  # fmt: skip


def connect_control(path: str, patience: float) -> "ControlConnection":
    """A client's end of the pipe that stands for a socket at `path`; raises OSError."""
    return ControlConnection(control_address(path), patience)


class ControlConnection:
    """A client's end, with the methods of a socket that the client uses."""

    def __init__(self, address: str, patience: float) -> None:
        """Raises FileNotFoundError where nobody listens, TimeoutError where nobody comes within `patience` seconds."""
        deadline = time.monotonic() + patience
        self._timeout: float | None = patience
        self._operation: Any = None
        self._handle = -1
        while self._handle < 0:
            try:
                self._handle = _open(address)
            except OSError as error:
                if error.winerror != _ERROR_PIPE_BUSY:
                    raise
                if time.monotonic() > deadline:
                    raise TimeoutError from None
                time.sleep(0.01)

    def __enter__(self) -> "ControlConnection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def settimeout(self, seconds: float | None) -> None:
        """How long `recv` waits."""
        self._timeout = seconds

    def sendall(self, data: bytes) -> None:
        """Sends all of it."""
        try:
            _write(self._handle, data)
        except BrokenPipeError as error:
            raise ConnectionResetError(error.errno, error.strerror) from error

    def recv(self, size: int) -> bytes:
        """What has come, b"" at the end; raises TimeoutError."""
        try:
            if self._operation is None:
                self._operation, _ = _winapi.ReadFile(self._handle, size, overlapped=True)
            wait = _winapi.INFINITE if self._timeout is None else max(0, round(self._timeout * 1000))
            if _winapi.WaitForSingleObject(self._operation.event, wait) == _winapi.WAIT_TIMEOUT:
                raise TimeoutError
            operation, self._operation = self._operation, None
            return _result(operation)
        except BrokenPipeError:
            return b""
        except OSError as error:
            if getattr(error, "winerror", 0) in (_ERROR_BROKEN_PIPE, 233):  # ERROR_PIPE_NOT_CONNECTED
                return b""
            raise

    def close(self) -> None:
        """Ends the connection."""
        if self._operation is not None:
            with contextlib.suppress(OSError):
                self._operation.cancel()
                self._operation.GetOverlappedResult(True)
            self._operation = None
        if self._handle >= 0:
            _winapi.CloseHandle(self._handle)
            self._handle = -1
