"""What keeps a shield up for servers that have no event loop: a thread, and a way to interrupt the main thread."""

import contextlib
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable

from supervisor.ports.leases import Loss
from supervisor.ports.shield import CHECK_EVERY, HEARTBEAT_EVERY, Shield


class Interrupt:
    """Raises KeyboardInterrupt in the main thread, out of a system call too."""

    def __init__(self) -> None:
        # Where SIGINT is ignored, as in what a script starts with `&`, a signal does it that nobody minds otherwise:
        # SIGURG is ignored by default and does not exist on Windows.
        self._spare: signal.Signals | None = getattr(signal, "SIGURG", None)
        if self._spare is not None and signal.getsignal(self._spare) == signal.SIG_DFL:
            signal.signal(self._spare, signal.default_int_handler)
        else:
            self._spare = None

    @classmethod
    def of_this_thread(cls) -> "Interrupt | None":
        """One if this is the main thread, None in others: Python lets no signal reach them."""
        return cls() if threading.current_thread() is threading.main_thread() else None

    def send(self) -> bool:
        """Interrupt the main thread; whether that was possible."""
        number = signal.SIGINT if callable(signal.getsignal(signal.SIGINT)) else self._spare
        if number is None:
            return False
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(threading.main_thread().ident or 0, number)
        else:
            signal.raise_signal(number)
        return True

    def close(self) -> None:
        """Put the signal back as it was; only from the main thread."""
        if self._spare is not None:
            signal.signal(self._spare, signal.SIG_DFL)


class ShieldThread:
    """Calls `on_loss` once, in a thread of its own, as soon as a lock of `shield` is lost; then closes the shield.

    The thread sleeps in the kernel: it wakes for file events and every CHECK_EVERY seconds.
    """

    def __init__(self, shield: Shield, on_loss: Callable[[Loss], None]) -> None:
        """Raises OSError, or RuntimeError where no thread can be had; nothing is left open then."""
        self._shield = shield
        self._on_loss = on_loss
        with contextlib.ExitStack() as undo:
            self._selector = undo.enter_context(selectors.DefaultSelector())
            self._told, self._tell = socket.socketpair()
            undo.enter_context(self._told)
            undo.enter_context(self._tell)
            self._selector.register(self._told, selectors.EVENT_READ)
            if (events := shield.fileno()) is not None:
                self._selector.register(events, selectors.EVENT_READ)
            self._thread = threading.Thread(target=self._run, name="portsup-shield", daemon=True)
            self._thread.start()
            undo.pop_all()

    def stop(self) -> None:
        """End the thread and wait for it, unless it is the one that asks."""
        self._tell.close()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        with self._selector, self._told:
            lost = self._wait(self._selector)
        self._shield.close()
        if lost is not None:
            self._on_loss(lost)

    def _wait(self, selector: selectors.BaseSelector) -> Loss | None:
        """The first loss, None when told to stop."""
        checked = beaten = time.monotonic()
        while True:
            ready = selector.select(max(0.0, checked + CHECK_EVERY - time.monotonic()))
            if any(key.fileobj is self._told for key, _ in ready):
                return None
            losses = self._shield.on_readable() if ready else ()
            now = time.monotonic()
            if now >= checked + CHECK_EVERY:
                losses = losses or self._shield.check()
                checked = now
            if losses:
                return losses[0]
            if now >= beaten + HEARTBEAT_EVERY:
                self._shield.heartbeat()
                beaten = now
