"""The watch over locks and records: losing one must be noticed at once, not at the next use of the port."""

import os
from collections.abc import Iterable, Iterator

from supervisor import system
from supervisor.ports.instance_lock import InstanceLock
from supervisor.ports.leases import Loss, PoolLease
from supervisor.ports.runtime import RuntimeDir
from supervisor.system import WatchEvent, WatchKind

CHECK_EVERY = 10.0  # seconds between full checks, which also see what no file event tells
HEARTBEAT_EVERY = 30.0  # seconds; tmp cleaners look at ages of days

_INSTANCE = 0  # the "port" of the instance's lock in a Loss


class Shield:
    """Watches the lock files and records of leases, and of the instance number if given.

    Wait for `fileno` to become readable, then call `on_readable`; besides, `check` every CHECK_EVERY seconds and
    `heartbeat` every HEARTBEAT_EVERY.  Where the system has no file events, `fileno` is None and `check` is all.
    Touching files wakes nobody, so heartbeats of any portsup cost no wake-up.
    """

    def __init__(
        self, runtime: RuntimeDir, leases: Iterable[PoolLease] = (), instance: InstanceLock | None = None
    ) -> None:
        self._runtime = runtime
        self._leases = list(leases)
        self._instance = instance
        self._watch = system.open_watch()
        self._seen: list[tuple[int, int]] | None = None  # the places of the directories
        self._checked: set[PoolLease] = set()  # looked at in full since they are there
        self._open_watches()

    def watch(self, lease: PoolLease) -> None:
        """Watch this lease too."""
        self._leases.append(lease)

    def forget(self, *leases: PoolLease) -> None:
        """Watch these leases no longer."""
        gone = set(leases)
        self._leases = [lease for lease in self._leases if lease not in gone]
        self._checked -= gone

    def fileno(self) -> int | None:
        """The descriptor that becomes readable when files changed; None where only `check` tells."""
        return self._watch.fileno() if self._watch is not None else None

    def on_readable(self) -> tuple[Loss, ...]:
        """The locks that were lost by what happened to the files; never waits."""
        return tuple(loss for losses in self.news() for loss in losses)

    def news(self) -> Iterator[tuple[Loss, ...]]:
        """The same, port by port, for those who have something else to do in between."""
        events = self._watch.read() if self._watch is not None else []
        if any(event.kind in (WatchKind.GONE, WatchKind.OVERFLOW) for event in events):
            self._checked.clear()
            yield from self.checks()
            return
        touched = dict.fromkeys(port for port in map(self._named, events) if port is not None)
        leases = {port: lease for lease in self._leases for port in lease.pool} if touched else {}
        for port in touched:
            if port == _INSTANCE:
                yield self._loss_of_instance()
            elif (lease := leases.get(port)) is not None:
                yield lease.losses_of(port)

    def check(self) -> tuple[Loss, ...]:
        """Every lock looked at in full; those that are lost."""
        return tuple(loss for losses in self.checks() for loss in losses)

    def checks(self) -> Iterator[tuple[Loss, ...]]:
        """The same, lease by lease, for those who have something else to do in between."""
        yield self._loss_of_instance()
        for lease in tuple(self._leases):
            yield lease.losses()

    def looks(self) -> Iterator[tuple[Loss, ...]]:
        """The same as `checks`, in a third of the time where nothing can have changed unheard.

        Where the kernel tells of every change in the directories, and these are where they were when a lease was looked
        at in full, what is left to look at are its locks themselves.
        """
        places = self._places()
        if places is None or places != self._seen:
            self._checked.clear()
            self._seen = places
        yield self._loss_of_instance()
        for lease in tuple(self._leases):
            yield lease.losses(in_full=lease not in self._checked)
            if places is not None:
                self._checked.add(lease)

    def heartbeat(self) -> None:
        """Keep all files fresh."""
        for _ in self.heartbeats():
            pass

    def heartbeats(self) -> Iterator[None]:
        """The same, lease by lease."""
        self._runtime.touch_all()
        if self._instance is not None:
            self._instance.heartbeat()
        for lease in tuple(self._leases):
            yield
            lease.heartbeat()

    def stop(self) -> None:
        """Stop watching; `close` takes some milliseconds less if it comes that much later."""
        if self._watch is not None:
            self._watch.stop()
            if self._watch.fileno() < 0:
                self._watch = None

    def close(self) -> None:
        """Stop watching, and give the descriptor back."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def _open_watches(self) -> None:
        if self._watch is None:
            return
        try:
            # Entries of the runtime directory itself change with every endpoints file: only its own end counts.
            self._watch.add(self._runtime.path, entries=False)
            self._watch.add(self._runtime.ports)
            self._watch.add(self._runtime.instances)
        except OSError:  # fs.inotify.max_user_watches is used up
            self.close()

    def _places(self) -> list[tuple[int, int]] | None:
        """Where the directories are, by device and inode; None where we are not told of all that happens in them."""
        if self._watch is None or not self._watch.misses_nothing:
            return None
        try:
            found = [os.lstat(directory) for directory in (self._runtime.ports, self._runtime.instances)]
        except OSError:
            return None
        return [(each.st_dev, each.st_ino) for each in found]

    def _named(self, event: WatchEvent) -> int | None:
        """Which of our ports an event is about, `_INSTANCE` for our number, None for what is not ours."""
        if self._instance is not None and event.path in (self._instance.path, self._instance.record):
            return _INSTANCE
        directory, name = os.path.split(event.path)
        stem, extension = os.path.splitext(name)
        if directory == self._runtime.ports and extension in (".lock", ".json") and stem.isascii() and stem.isdigit():
            return int(stem)
        return None

    def _loss_of_instance(self) -> tuple[Loss, ...]:
        why = self._instance.loss() if self._instance is not None else None
        return (Loss(_INSTANCE, why),) if why else ()
