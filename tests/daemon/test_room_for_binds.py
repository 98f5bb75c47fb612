"""What is closed for a socket that a program binds, once it is known whether that has the one before still."""

import errno
import os
import socket
from collections.abc import Iterator

import pytest

from supervisor import system
from supervisor.core.handoff import V4, Give, Place
from supervisor.daemon.handoff.hearing import Hearing
from supervisor.daemon.handoff.leftovers import make_room
from supervisor.ports.reservation import Reservation, reserve
from supervisor.ports.seat import Claim, inode_of
from supervisor.ports.service_sockets import ServiceSockets
from tests.support.ports import free_port

pytestmark = [pytest.mark.live, pytest.mark.skipif(not system.SWAPS_UNDER_COVERS, reason="Linux only")]

LOCAL, EVERY = Place(V4, "127.0.0.1"), Place(V4, "0.0.0.0")


@pytest.fixture
def sockets() -> Iterator[ServiceSockets]:
    reservation = reserve(free_port())
    assert isinstance(reservation, Reservation)
    made = ServiceSockets(reservation)
    yield made
    made.close()
    reservation.close()


@pytest.fixture
def hearing() -> Hearing:
    def unheard(_: object = None) -> None:
        raise AssertionError("nobody was to be told")

    return Hearing(set, unheard, unheard, unheard, unheard, unheard, unheard)


def test_a_bind_waits_for_a_look_while_its_service_is_stopped_and_is_refused(
    sockets: ServiceSockets, hearing: Hearing
) -> None:
    with socket.socket() as before, socket.socket() as theirs:
        sockets.bind(LOCAL, before, Claim("1", inode_of(before)))
        before.close()
        decision = Give(EVERY, doubtful=(LOCAL,))  # and whether its process has the one before is looked up
        sockets.close()  # meanwhile
        make_room(sockets, theirs, "1", decision, hearing)
        with pytest.raises(OSError, match=os.strerror(errno.EADDRNOTAVAIL)):
            sockets.bind(EVERY, theirs, Claim("1", inode_of(theirs)))


def test_what_a_program_has_closed_at_another_address_makes_room(sockets: ServiceSockets, hearing: Hearing) -> None:
    with socket.socket() as before, socket.socket() as theirs:
        sockets.bind(LOCAL, before, Claim("1", inode_of(before)))
        before.close()
        make_room(sockets, theirs, "1", Give(EVERY, doubtful=(LOCAL,)), hearing)
        assert sockets.places() == {}
        sockets.bind(EVERY, theirs, Claim("1", inode_of(theirs)))
    assert set(sockets.places()) == {EVERY}
