"""The contract: what every operating system answers.  mypy holds the modules of all of them against it.

Where a function says more of a system than here, it stands there.
"""

import socket
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Protocol

from supervisor.system.contract import SignalQueue, Watch
from supervisor.system.protocol_ports import Handoff, Ports
from supervisor.system.protocol_processes import Children, Processes


class Listening(Protocol):
    """A socket that listens, or what a system has instead."""

    def fileno(self) -> int: ...
    def accept(self) -> tuple[socket.socket, object]: ...
    def close(self) -> None: ...


class System(Processes, Children, Ports, Handoff, Protocol):
    """One module of this folder: what is above, and where files are, who asks, and what is heard."""

    SOCKET_PATH_MAX: int  # bytes
    HAS_WATCHES: bool  # whether `open_watch` has any to give

    def runtime_directory(self) -> str:
        """Where locks and records are."""

    def usual_state_directory(self) -> str:
        """Where logs are."""

    def hold_directory(self, path: str) -> int:
        """A descriptor that makes tmp cleaners leave the directory alone; -1 where none are about."""

    def try_lock(self, descriptor: int) -> bool:
        """Take the lock of an open file without waiting; False if somebody has it. Raises OSError for all else."""

    def is_flocked(self, descriptor: int) -> bool:
        """Whether another open file holds the lock on the file."""

    def current_user_id(self) -> int:
        """The user whose files and processes are ours; -1 where users have no numbers."""

    def user_name(self, uid: int) -> str:
        """The name of a user."""

    def open_signals(self, numbers: Collection[int]) -> SignalQueue:
        """A queue of these signals, which do nothing else from now on."""

    def on_signal(self, loop: Any, number: int, tell: Callable[[], object]) -> None:
        """Has `tell` called in the loop whenever this signal comes."""

    def open_watch(self) -> Watch | None:
        """A watch over files; None where there is none to be had: the regular check does it then."""

    def open_writer(self, fd: int, most: int, left_out: Callable[[int], bytes]) -> Any:
        """Writes to a stream that may be slow, without waiting; `most` bytes wait, the rest is left out, and said."""

    def answer_of(self, question: Callable[[], Any]) -> tuple[int, int]:
        """0, and a pipe with what `question` gives, in JSON, found out beside us; raises OSError."""

    def listen_for_control(self, path: Path, backlog: int) -> Listening:
        """What listens at `path`, for its user alone, in the place of a dead one; raises OSError."""

    def connect_control(self, path: str, patience: float) -> Any:
        """A client's end of what listens at `path`, with the methods of a socket; raises OSError."""

    def peer_of(self, connection: socket.socket) -> tuple[int, int]:
        """The pid and the user at the other end; 0 and ourselves where nobody else can connect."""
