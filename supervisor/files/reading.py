"""Reads at a place of a file, whatever was read or written of it before."""

import os
import threading

if not hasattr(os, "pread"):
    _lock = threading.Lock()

    def pread(descriptor: int, size: int, offset: int) -> bytes:
        """What `os.pread` gives on other systems; a file that is appended to goes on at its end all the same."""
        with _lock:
            os.lseek(descriptor, offset, os.SEEK_SET)
            return os.read(descriptor, size)

else:
    pread = os.pread  # type: ignore[assignment]
