"""A process that has no descriptor left to look with takes that for no fact about others."""

import errno
import os
import socket
from pathlib import Path

import pytest

from supervisor import system
from supervisor.daemon.handoff.looks import open_inodes
from supervisor.ports.holders import ConflictKind, holders_of, who_listens
from supervisor.ports.runtime import RuntimeDir
from tests.support.exhausted import no_descriptor_left

pytestmark = pytest.mark.live


def test_where_no_descriptor_is_left_nobody_is_said_to_be_absent() -> None:
    """That nobody listens, or has a socket open, is a fact that others act on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port, inode = server.getsockname()[1], os.fstat(server.fileno()).st_ino
        (found,) = system.listening([port])
        looks = (
            lambda: system.listening([port]), lambda: system.listening(None), lambda: system.sockets_on([port]),
            lambda: system.bound_only([port]), lambda: system.owners_of([found], None),
            lambda: system.owners_of([found], [os.getpid()]), lambda: system.listening_ports_of([os.getpid()]),
            lambda: open_inodes([inode], [os.getpid()]),
        )  # fmt: skip
        told: list[object] = []
        with no_descriptor_left():
            for look in looks:
                try:
                    told.append(look())
                except OSError as error:
                    told.append(error.errno)
            assert system.listening([]) == []
        assert told == [errno.EMFILE] * len(looks)
        assert open_inodes([inode], [os.getpid()]) == {inode: os.getpid()}
        assert open_inodes([inode], [2**22 + 5]) == {}  # one that is gone is no lack


def test_whose_a_port_is_is_not_known_where_nobody_can_look(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        (found,) = system.listening([server.getsockname()[1]])
        runtime = RuntimeDir.open(os.fspath(tmp_path))
        with no_descriptor_left():
            told = holders_of([found.port], runtime)[found.port]
            whose = who_listens(found, runtime)
        runtime.close()
    assert told.text == "in use, but portsup could not look for its owner"
    assert (whose.pid, whose.kind) == (0, ConflictKind.FOREIGN)
