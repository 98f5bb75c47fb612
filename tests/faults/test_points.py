"""What the suite of faults has found, one point for each kind; `make test-faults` tries all the others."""

import pytest

from tests.faults.conftest import Fail
from tests.support.rounds import only

pytestmark = pytest.mark.live

FOUND = {
    "no descriptor for the very first file": "ls/front/open/1/ENFILE",
    "no descriptor for the modules of a command": "ls/front/import/16/EMFILE+",
    "no memory to ask where we are": "reload/front/getcwd/1/ENOMEM",
    "no buffer for a request": "status/front/send/1/ENOBUFS",
    "no socket for a request": "start/front/socket/1/ENOMEM",
    "no memory for an answer": "down/front/recv/1/ENOMEM",
    "no loop for the daemon": "up/daemon/epoll_create/1/ENOMEM",
    "the daemon's first file cannot be read": "up/daemon/open/1/EIO+",
    "the control socket cannot listen": "up/daemon/listen/1/EADDRINUSE",
    "the loop cannot watch a client": "status/daemon/epoll_ctl/1/ENOMEM",
    "clients cannot be let in for a while": "crash/daemon/accept/1/EMFILE+",
    "the sockets of a service cannot listen on": "restart/daemon/listen/1/ENOMEM",
    "nobody can be looked up when a service ends": "crash/daemon/opendir/1/EMFILE+",
    "no module of hooks to be had": "up/daemon/pipe/1/EMFILE+",
    "a folder that cannot be read is not a missing one": "restart/daemon/stat/1/EIO+",
    "a port cannot be taken back": "start/daemon/execve/4/EIO+",
    "what a service says last cannot be heard": "restart/daemon/fstat/1/ENOMEM+",
    "the loop cannot watch a service that has just begun": "restart/daemon/epoll_ctl/2/ENOMEM",
    "the loop cannot watch a hook": "start/daemon/epoll_ctl/2/ENOSPC+",
    "a signal comes between a bind and its answer": "rotate/daemon/ioctl/7/EINTR",
    "signals cannot be told to the loop": "foreground/guardian/fstat/30/EIO",
    "a socket cannot be asked whether it listens": "reload/daemon/getsockopt/2/ENOBUFS",
    "a program's socket cannot be asked what it is": "crash/daemon/getsockopt/20/ENOBUFS",
    "a file that was just made cannot be looked at": "down/daemon/fstat/1/EIO",
    "the end of a start cannot be told at once": "up/daemon/write_pipe/5/EAGAIN",
    "a file that was only looked at cannot be closed": "up/daemon/close/35/EIO",
    "files cannot be removed at the end": "down/daemon/fstat/1/EIO+",
}


# One in each process of portsup, and one for each of what can be missing: a descriptor, memory, a disk.
ALWAYS = (
    "no descriptor for the very first file",
    "no memory for an answer",
    "the daemon's first file cannot be read",
    "the sockets of a service cannot listen on",
    "a port cannot be taken back",
    "a signal comes between a bind and its answer",
    "signals cannot be told to the loop",
    "files cannot be removed at the end",
)


@pytest.mark.parametrize("found", only(ALWAYS, FOUND))
def test_what_was_found_once(fail: Fail, found: str) -> None:
    fail(FOUND[found])
