"""Pools and instances for any Python server, without the daemon."""

import errno
import os
import re
import socket
from collections.abc import Mapping, Sequence

from supervisor.core.instance import ports_of
from supervisor.errors import UsageError
from supervisor.ports.instance_lock import InstanceLock
from supervisor.ports.instances import RunInfo
from supervisor.ports.lease import Lease, OnLost
from supervisor.ports.leases import ChosenPort, NoPort, PoolLease
from supervisor.ports.outcomes import why_of
from supervisor.ports.port_lock import own_identity
from supervisor.ports.record import Owner
from supervisor.ports.runtime import RuntimeDir
from supervisor.ports.shield import Shield
from supervisor.words import sockets as words
from supervisor.words.reasons import text_of

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


class PortPool:
    """A list of ports of which a server gets the first that is free.

    ```python
    with PortPool("sandra-ia", [6030, 6031, 6032, 6033]).acquire() as lease:
        serve(lease.port, sock=lease.socket)

    async with PortPool("sandra-ia", [6030, 6031]).acquire() as lease:
        server = await asyncio.start_server(handle, sock=lease.socket)
        await server.serve_forever()
    ```
    The port is locked among the programs that use these locks, and held in the kernel against all others.  The rest
    of the list is left to further copies of the server, unless `spares` holds it too.
    """

    def __init__(
        self,
        name: str,
        ports: Sequence[int],
        *,
        host: str = "127.0.0.1",
        on_lost: OnLost | None = None,
        spares: bool = False,
        instance: InstanceLock | None = None,
        runtime: RuntimeDir | None = None,
    ) -> None:
        """`name` is told to those who find a port taken; `host` is the address that the server listens on.

        `on_lost`: see `Lease`.  `spares`: hold every free port of the list, not only the one that is used.

        Raises UsageError for a name or ports that cannot be, and PortsupError if the runtime directory cannot be
        used.
        """
        _check_name(name)
        if not ports or len(set(ports)) != len(ports) or not all(0 < port < 65536 for port in ports):
            raise UsageError(f"cannot use the pool of `{name}`", f"{list(ports)} is not a list of different ports")
        self.name = name
        self.host = host
        self.ports = tuple(ports)
        self._on_lost = on_lost
        self._spares = spares
        self._instance = instance
        self._runtime = runtime or RuntimeDir.open()

    def acquire(self) -> Lease:
        """Lease the first port that is free, with a socket that listens already.

        Raises PoolExhausted with `reasons`, port by port, if there is none; PortsupError if `host` is not an address
        of this machine, or files cannot be written.
        """
        if self._instance is None:
            owner = Owner(self.name, 0, self.name, "", own_identity())
        else:
            info = self._instance.info
            owner = Owner(info.stack, info.instance, self.name, info.run_id, info.owner)
        reasons: list[tuple[int, str]] = []
        for ports in [self.ports] if self._spares else [(port,) for port in self.ports]:
            leased = PoolLease(owner, ports, self._runtime)
            try:
                found = self._listen(leased)
            except BaseException:
                leased.release()
                raise
            if not isinstance(found, NoPort):
                chosen, listening = found
                skipped = (*reasons, *((port, text_of(why_of(why))) for port, why in chosen.skipped))
                shield = Shield(self._runtime, [leased], self._instance)
                return Lease(chosen.port, skipped, listening, leased, shield, self._on_lost)
            leased.release()
            reasons.extend((port, text_of(each)) for port, each in found.reasons)
        raise words.no_port(self.name, reasons)

    def _listen(self, leased: PoolLease) -> tuple[ChosenPort, socket.socket] | NoPort:
        slipped: dict[int, str] = {}
        while True:
            chosen = leased.choose(slipped, now=0.0)
            if isinstance(chosen, NoPort):
                return chosen
            reservation = leased.reservation()
            assert reservation is not None, "the chosen port is reserved"
            try:
                return chosen, reservation.open_service_socket(self.host)
            except socket.gaierror as error:
                raise words.cannot_listen(self.host, error.strerror) from error
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise words.cannot_listen(self.host, error.strerror or str(error)) from error
                slipped[chosen.port] = words.SLIPPED


class Instance:
    """A number that tells copies of one program apart, and moves their ports away from one another.

    ```python
    with Instance("shop", {"web": [8000, 8001], "api": [8010, 8011]}) as instance:
        with instance.pool("web").acquire() as lease:     # 8000 in instance 1, 8100 in instance 2
            ...
    ```
    The lowest free number is taken, or `wanted`.
    """

    def __init__(
        self,
        stack: str,
        pools: Mapping[str, Sequence[int]],
        *,
        stride: int = 100,
        wanted: int | None = None,
        runtime: RuntimeDir | None = None,
    ) -> None:
        """`pools` are the ports of instance 1 by service; `stride` is how far apart instances are, in ports."""
        _check_name(stack)
        if stride < 1:
            raise UsageError(f"cannot number instances of `{stack}`", f"a stride of {stride} does not move ports apart")
        self.stack = stack
        self._pools = {service: tuple(ports) for service, ports in pools.items()}
        self._stride = stride
        self._wanted = wanted
        self._runtime = runtime or RuntimeDir.open()
        self._lock: InstanceLock | None = None

    @property
    def number(self) -> int:
        """Which copy we are, counted from 1; 0 before `take`."""
        return self._lock.number if self._lock is not None else 0

    def take(self) -> "Instance":
        """Take the number until `release` or the end of the process.

        Raises InstanceTaken if `wanted` is taken, or if one more instance does not fit beside the others.
        """
        if self._lock is None:
            info = RunInfo(os.urandom(8).hex(), os.getcwd(), "")
            self._lock = InstanceLock.take(self.stack, self._pools, self._stride, self._wanted, self._runtime, info)
        return self

    def ports(self, service: str) -> tuple[int, ...]:
        """The ports of a service in this instance."""
        return ports_of(self._pools[service], max(self.number, 1), self._stride)

    def pool(self, service: str, *, host: str = "127.0.0.1", on_lost: OnLost | None = None) -> PortPool:
        """The pool of a service in this instance; its leases watch the instance number too."""
        self.take()
        return PortPool(
            service, self.ports(service), host=host, on_lost=on_lost, instance=self._lock, runtime=self._runtime
        )

    def release(self) -> None:
        """Give the number back; may be called twice."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> "Instance":
        return self.take()

    def __exit__(self, *_: object) -> None:
        self.release()


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(f"cannot use the name `{name}`", "letters, digits, `.`, `_` and `-` make a name of at most 63")
