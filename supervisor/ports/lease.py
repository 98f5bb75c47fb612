"""A port that a server got, and the watch over it."""

import os
import socket
from collections.abc import Callable
from types import TracebackType

from supervisor.errors import LockLost
from supervisor.ports.leases import Loss, PoolLease
from supervisor.ports.shield import Shield
from supervisor.words.locks import not_kept, not_watched
from supervisor.words.reasons import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.ports.asynchronous import ShieldInLoop
    from supervisor.ports.shield_thread import Interrupt, ShieldThread

OnLost = Callable[[LockLost], object]


class Lease:
    """The ports of a pool, ours until the `with` block ends, or `release`.

    The block also watches the locks, in a thread or in the event loop.  When one is lost (its file was deleted or
    replaced, for example) somebody else may get the port, so the server must end: `on_lost` is called with the
    LockLost, in that thread or loop (there it may be a coroutine function).  Without `on_lost` the block itself is
    interrupted, and raises LockLost: the main thread as if by Ctrl-C, a task by cancelling it, while in other
    threads the socket stops accepting.  Raises PortsupError, and gives the ports back, where it cannot watch.
    """

    def __init__(
        self,
        port: int,
        skipped: tuple[tuple[int, str], ...],
        listening: socket.socket,
        leased: PoolLease,
        shield: Shield,
        on_lost: OnLost | None,
    ) -> None:
        self.name = leased.owner.service
        self.port = port
        self.socket = listening
        self.skipped = skipped  # ports that come before it, and why they could not be had
        self.lost: LockLost | None = None
        self._leased = leased
        self._shield = shield
        self._on_lost = on_lost
        self._is_ending = False
        self._pid = os.getpid()
        self._watching: ShieldThread | ShieldInLoop | None = None
        self._interrupt: Interrupt | None = None

    def check(self) -> None:
        """Raises LockLost if a lock is lost, whether or not somebody watches."""
        losses = self._leased.losses() if self.lost is None else ()
        if losses:
            self.lost = self._in_words(losses[0])
        if self.lost is not None:
            raise self.lost

    def release(self) -> None:
        """Close the socket and give every port back; may be called twice.  A forked child only closes its copies."""
        if self._watching is not None:
            if self._pid == os.getpid():
                self._watching.stop()
            self._watching = None
        self._shield.close()
        self.socket.close()
        self._leased.release()

    def __enter__(self) -> "Lease":
        def end(loss: Loss) -> None:
            self.lost = self._in_words(loss)
            if self._on_lost is not None:
                self._on_lost(self.lost)
            elif not self._is_ending and not (self._interrupt is not None and self._interrupt.send()):
                self.socket.shutdown(socket.SHUT_RDWR)

        try:
            from supervisor.ports.shield_thread import Interrupt, ShieldThread

            self._interrupt = Interrupt.of_this_thread()
            self._watching = ShieldThread(self._shield, end)
        except (ImportError, OSError, RuntimeError) as error:  # no descriptor or thread is left
            self.release()
            if self._interrupt is not None:
                self._interrupt.close()
            raise not_watched(self.port, self.name, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_ending = True
        try:
            self.release()
        except KeyboardInterrupt:
            if self.lost is None:
                raise
            self.release()
        if self._interrupt is not None:
            self._interrupt.close()
        is_our_doing = error is None or isinstance(error, KeyboardInterrupt | OSError)
        if self.lost is not None and self._on_lost is None and is_our_doing:
            raise self.lost from error

    async def __aenter__(self) -> "Lease":
        try:
            from supervisor.ports.asynchronous import ShieldInLoop, canceller, spawn

            cancel = canceller()

            def end(loss: Loss) -> None:
                self.lost = self._in_words(loss)
                if self._on_lost is not None:
                    spawn(self._on_lost(self.lost))
                else:
                    cancel()

            self._watching = ShieldInLoop(self._shield, end)
        except (ImportError, OSError) as error:
            self.release()
            raise not_watched(self.port, self.name, error) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        from supervisor.ports.asynchronous import was_cancelled

        self.release()
        if self.lost is not None and self._on_lost is None and (error is None or was_cancelled(error)):
            raise self.lost from error

    def _in_words(self, loss: Loss) -> LockLost:
        return LockLost(not_kept(loss.port, self.name), text_of(loss.why))
