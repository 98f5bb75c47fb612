"""The box that bubblewrap makes for one run, and the limits in it.

Two facts (bubblewrap 0.8, Linux 6.18) decide how it is called:

* Root keeps every capability inside unless `--cap-drop ALL` says otherwise; with CAP_SYS_ADMIN a box is left by
  `mount -o remount,rw,bind /usr`.
* The kernel never counts the processes of root (kernel/fork.c: RLIMIT_NPROC does not hold for INIT_USER). A service
  that runs as root therefore makes a user namespace for each run, in which user 1000 is `nobody` of the host and the
  limit holds; of root's powers code keeps one there, to read and write the workspace (CAP_DAC_OVERRIDE; it reaches
  files of users that the namespace knows). For any other user bwrap makes the namespace, which counts by itself from
  Linux 5.14 on.
* bwrap takes `--userns 0` for none at all, without a word: the descriptor has to be above 0. And with `--userns` there
  is no `--disable-userns`, so who makes the namespace also says that none can be made in it.
"""

import asyncio
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from examples.web import ServiceError

MIB = 1024 * 1024
PROCESSES = 100  # threads count as well
MEMORY = 512 * MIB  # of a run in all; sandbox.py looks after that
DATA = 448 * MIB  # private memory of each process; not address space, of which V8 reserves gigabytes
FILE = 64 * MIB
OPEN_FILES = 256
TMP = 64 * MIB  # in memory
PATH = "/usr/local/bin:/usr/bin:/bin"
NOBODY = 65534
# user_namespaces(7); where /proc/sys may not be written, the filter of system calls has to do.
_NO_MORE = "echo 0 >/proc/sys/user/max_user_namespaces"
# It goes on when the namespace has its users: only then is a new program root in it.
_MAKER = f"echo made; read line; sh -c '{_NO_MORE}' 2>/dev/null; echo sealed; read line"
USERS_FD = 9  # dash can close no descriptor of two digits
_BESIDES_USR = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_ENVIRONMENT = {
    "PATH": PATH,
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "PYTHONPATH": "/workspace",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
}


def box(bwrap: str, root: Path, *, users: bool) -> list[str]:
    """bwrap and what it has to set up, mounts in the order in which they are made; `root` becomes /workspace.

    `users` tells whether the standard input is what `make_users` gave. The caller may add more and has to end it with
    `sealed`.
    """
    box = ["sh", "-c", f'exec "$@" {USERS_FD}<&0 </dev/null', "sh"] if users else []
    # The first to go when memory runs out, and never in the way.
    box += ["choom", "-n", "1000", "--", "nice", "-n", "10"]
    box += [bwrap, "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    for kind in ("ipc", "pid", "net", "uts", "cgroup-try"):
        box.append(f"--unshare-{kind}")
    if not users:
        box += ["--unshare-user", "--uid", "1000", "--gid", "1000"]
        box += ["--disable-userns"] if can_disable_users(bwrap) else []
    else:
        box += ["--userns", str(USERS_FD)]
        for one in ("SETUID", "SETGID", "SETPCAP", "DAC_OVERRIDE"):  # for setpriv, which gives the first three away
            box += ["--cap-add", f"CAP_{one}"]
    box += ["--hostname", "sandbox", "--proc", "/proc", "--dev", "/dev"]
    for memory in ("/dev/shm", "/tmp"):
        box += ["--perms", "1777", "--size", str(TMP), "--tmpfs", memory]
    for file in ("keys", "key-users"):  # they tell of the service's session keyring, which every child inherits
        box += ["--ro-bind-try", "/dev/null", f"/proc/{file}"]
    box += ["--remount-ro", "/dev", "--remount-ro", "/proc", "--ro-bind", "/usr", "/usr"]
    box += ["--ro-bind-try", "/etc/alternatives", "/etc/alternatives"]  # awk and others are links to there
    for name in _BESIDES_USR:
        if os.path.islink(f"/{name}"):
            box += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        elif os.path.isdir(f"/{name}"):
            box += ["--ro-bind", f"/{name}", f"/{name}"]
    if not Path(sys.base_prefix).is_relative_to("/usr"):
        box += ["--ro-bind", sys.base_prefix, sys.base_prefix]
    box += ["--bind", str(root), "/workspace", "--chdir", "/workspace"]
    for key, value in _ENVIRONMENT.items():
        box += ["--setenv", key, value]
    return box


def sealed(*, users: bool, seconds: float) -> list[str]:
    """What stands between a box and the program: the programs here do their part each and become the next."""
    kept = "-all,+dac_override"
    as_nobody = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "--no-new-privs"]
    as_nobody += ["--inh-caps", kept, "--ambient-caps", kept, "--bounding-set", kept]
    limits = ["prlimit", f"--cpu={int(seconds) + 1}", f"--data={DATA}", f"--nproc={PROCESSES}", f"--fsize={FILE}"]
    limits += [f"--nofile={OPEN_FILES}", "--core=0", "--"]
    # bwrap leaves the descriptor of the namespace open.
    closed = ["sh", "-c", f'exec "$@" {USERS_FD}<&-', "sh"]
    return ["--remount-ro", "/", "--", *((*closed, *as_nobody) if users else ()), *limits]


@cache
def can_disable_users(bwrap: str) -> bool:
    """Whether this bubblewrap knows `--disable-userns`, which came with 0.8."""
    return "--disable-userns" in subprocess.run([bwrap, "--help"], capture_output=True, text=True).stdout


def is_root_of_the_machine() -> bool:
    if os.geteuid() != 0:
        return False
    with open("/proc/self/uid_map") as file:
        return file.read().split()[:3] == ["0", "0", "4294967295"]


async def make_users(root: Path) -> int:
    """A descriptor of a user namespace that knows root, `nobody` as user 1000, and the owner of `root` as user 2000.

    No other namespace can be made in it. Raises a ServiceError where the system does not allow it.
    """
    owner = root.stat()
    maker = await asyncio.create_subprocess_exec(
        *("unshare", "--user", "sh", "-c", _MAKER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert maker.stdin
    assert maker.stdout
    try:
        words = (await maker.stdout.readline()).decode("utf-8", "replace").strip()
        if words != "made":
            raise ServiceError("sandbox_unavailable", f"no user namespace can be made: {words}")
        for kind, number in (("uid", owner.st_uid), ("gid", owner.st_gid)):
            known = "" if number in (0, NOBODY) else f"2000 {number} 1\n"
            with open(f"/proc/{maker.pid}/{kind}_map", "w") as file:
                file.write(f"0 0 1\n1000 {NOBODY} 1\n{known}")
        maker.stdin.write(b"\n")
        await maker.stdout.readline()
        return os.open(f"/proc/{maker.pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        maker.stdin.close()
        await maker.wait()
