"""Installs a seccomp filter that notifies it, as sandboxes and rootless containers do, prints what came of it, waits.

With `or fail` it ends with 3 if it could not; with `ask` it gives no filter, and has only asked.
"""

import ctypes
import os
import struct
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
program = ctypes.create_string_buffer(struct.pack("=HBBI", 0x06, 0, 0, 0x7FFF0000), 8)  # allow everything
head = ctypes.create_string_buffer(struct.pack("@HP", 1, ctypes.addressof(program)))
number = {"x86_64": 317, "aarch64": 277}[os.uname().machine]
given = None if "ask" in sys.argv else ctypes.byref(head)
done = libc.syscall(number, 1, 8, given)  # SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER
print("listener" if done >= 0 else os.strerror(ctypes.get_errno()), flush=True)
if done < 0 and "or fail" in sys.argv:
    sys.exit(3)
time.sleep(1000)
