"""The contract, as far as it is about ports."""

import math
import socket
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from supervisor.system.contract import Connection, Departures, Listener


class Ports(Protocol):
    """Who has a port, and how it is kept.

    Who looks raises OSError where no descriptor or memory is left to look with: an empty answer is a fact.
    """

    COVERS: tuple[tuple[socket.AddressFamily, str], ...]  # the addresses whose sockets together hold a port
    SWAPS_UNDER_COVERS: bool  # whether a service socket can be bound beneath covers

    def listening(self, ports: Collection[int] | None, but: Collection[int] = ...) -> list[Listener]:
        """Who listens on these TCP ports of this machine, None: on any; without those with an inode of `but`."""

    def sockets_on(self, ports: Collection[int]) -> list[Listener]:
        """Every TCP socket with one of these local ports, in any state, as far as the system tells."""

    def bound_only(self, ports: Collection[int]) -> list[Listener]:
        """The sockets that are bound to these ports and nothing else; empty where nobody tells."""

    def listening_ports_of(self, pids: Collection[int]) -> set[int]:
        """The TCP ports that these processes listen on."""

    def owners_of(
        self, listeners: Collection[Listener], candidates: Collection[int] | None, until: float = math.inf
    ) -> dict[int, int]:
        """The pid that has each socket open, by inode; empty where each `Listener` has its `pid`."""

    def has_many_sockets(self) -> bool:
        """Whether there are so many sockets that it takes long to ask which of them listen."""

    def first_unprivileged_port(self) -> int:
        """The lowest port that an ordinary user may bind."""

    def reserved_ports(self) -> dict[int, str]:
        """Ports that a part of the system uses, and which one."""

    def exclusive(self, sock: socket.socket) -> None:
        """Make the coming bind of `sock` exclusive."""

    def serve_alone(self, sock: socket.socket) -> None:
        """Have the coming bind of `sock`, which will listen, pass connections that linger, and no listener."""

    def bind_past_lingering(self, cover: socket.socket, place: tuple[str, int]) -> None:
        """Bind a cover where connections of an earlier server linger; raises OSError if that is not all."""


class Handoff(Protocol):
    """How the socket of a service is its own and ours; where there is no handoff, nobody asks for most of it."""

    def handoff_support(self) -> str:
        """Why ports cannot be handed over to programs here, "" if they can."""

    def slip_beneath(
        self,
        covers: Collection[socket.socket],
        beside: Collection[socket.socket],
        service: socket.socket,
        address: str,
        port: int,
        act: Callable[[], None],
        others: Collection[socket.socket] = (),
    ) -> bool:
        """Have `act` bind `service`, or let it listen, on an address and port that `covers` keep."""

    def keeps_own(self, service: socket.socket) -> bool:
        """Whether a program's own socket can be bound beneath covers; else it needs one of ours in its place."""

    def can_be_joined(self, service: socket.socket, address: str) -> bool:
        """Whether a second socket cannot be bound to the address of a first without letting others in, too."""

    def moves_queues(self) -> str:
        """What moves the queue of a closed listener to another one of its group: "bpf", "sysctl" or ""."""

    def have_queue_moved(self, listening: socket.socket) -> None:
        """Have the queues of the group of this socket move, where that is not the setting already."""

    def lead_anywhere(self, listening: socket.socket) -> None:
        """Have the system hand out connections in the group of `listening` as it likes."""

    def lead_to(self, listening: socket.socket, place: int) -> None:
        """Have all who connect get to one socket of the group of `listening`, by its place in it."""

    def lead_to_some(self, chosen: Sequence[socket.socket]) -> bool:
        """Have all who connect get to some of a group, whichever others are closed; whether that can be had."""

    def hide(self, listening: socket.socket) -> Callable[[socket.socket], None]:
        """Have whoever connects to a listening socket from now on be refused; what undoes it."""

    def turn_away(self, listening: socket.socket, *, is_idle: bool = False) -> Callable[[socket.socket], None]:
        """Have nobody begin to connect to a listening socket from now on; what undoes it."""

    def waiting_in(self, listening: socket.socket) -> int:
        """How many connections wait in the queue of a listening socket."""

    def connections_on(self, port: int) -> list[Connection]:
        """The connections of clients to a local port that somebody may still use, in a queue too."""

    def handshakes_on(self, ports: Collection[int]) -> dict[int, set[int]]:
        """The ports of clients that have begun to connect to local ports, by these, and wait in no queue yet.

        Raises OSError.
        """

    def user_of_peer(self, connection: socket.socket) -> int | None:
        """The user whose the other end of a connection is, if a process of this machine has it and that is told."""

    def open_departures(self, port: int) -> Departures:
        """Tells when a connection to a local port is gone; raises OSError where nobody tells."""
