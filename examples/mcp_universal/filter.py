"""Which system calls code in the sandbox may not make: those that reach beyond a process, or reach much of the kernel.

Namespaces and dropped capabilities make most of them fail anyway. The filter keeps code away from parts of the kernel
that have been the way out of other sandboxes, and it holds where `--disable-userns` of bubblewrap is not known (before
0.8). What is refused fails with EPERM, as if the capability were missing, so programs go on without it.
"""

import errno
import tempfile
from functools import cache

from examples.web import ServiceError

_REFUSED = (
    "acct", "add_key", "bpf", "delete_module", "fanotify_init", "finit_module", "fsconfig", "fsmount", "fsopen",
    "fspick", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup", "kcmp", "kexec_file_load",
    "kexec_load", "keyctl", "lookup_dcookie", "mbind", "memfd_secret", "migrate_pages", "mount", "mount_setattr",
    "move_mount", "move_pages", "msgget", "name_to_handle_at", "nfsservctl", "open_by_handle_at", "open_tree",
    "perf_event_open", "pidfd_getfd", "pivot_root", "process_madvise", "process_vm_readv", "process_vm_writev",
    "ptrace", "quotactl", "quotactl_fd", "reboot", "request_key", "semget", "set_mempolicy", "setns", "shmget",
    "swapoff", "swapon", "syslog", "umount", "umount2", "unshare", "uselib", "userfaultfd", "vhangup", "vmsplice",
)  # fmt: skip
# sched.h: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET.
_NEW_NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
# asm-generic/ioctls.h: TIOCSTI and TIOCLINUX write to a terminal as if somebody typed.
_TERMINAL = (0x5412, 0x541C)
# socket.h: of AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK there is one of its own for each box. AF_VSOCK, the way to the
# host of a virtual machine, knows no namespaces.
_FAMILIES = (1, 2, 10, 16)
_LAST_FAMILY = 64
_INT = 0xFFFFFFFF  # the kernel looks at so much of an argument that is an int


@cache
def program() -> bytes:
    """The filter as BPF, for `bwrap --seccomp`; a ServiceError where libseccomp is missing."""
    try:
        import pyseccomp
    except ImportError:
        why = "the package `pyseccomp` is not installed (it is part of the extra `stack`)"
        raise ServiceError("sandbox_unavailable", why) from None
    except (RuntimeError, OSError):
        why = "libseccomp is not installed (Debian: apt install libseccomp2)"
        raise ServiceError("sandbox_unavailable", why) from None
    # A call of another architecture, such as `int 0x80` on x86-64, ends the process: libseccomp's default.
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    refuse = pyseccomp.ERRNO(errno.EPERM)
    for name in _REFUSED:
        try:
            rules.add_rule(refuse, name)
        except OSError:  # this architecture, or this libseccomp, does not know it
            continue
    # Its flags are in memory, which a filter cannot see; libc takes clone in its place.
    rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    for flag in _NEW_NAMESPACES:
        rules.add_rule(refuse, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    for request in _TERMINAL:
        rules.add_rule(refuse, "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, _INT, request))
    unknown = pyseccomp.ERRNO(errno.EAFNOSUPPORT)
    for family in range(_LAST_FAMILY):
        if family not in _FAMILIES:
            rules.add_rule(unknown, "socket", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, _INT, family))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()
