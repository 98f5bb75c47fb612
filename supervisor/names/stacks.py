"""The stacks that the proxy answers for, as their daemons tell of them; each is followed by a thread of its own."""

import threading
from collections.abc import Iterator

from supervisor.api.name_proxy import instance_of
from supervisor.api.picture import Picture
from supervisor.api.stack import Stack
from supervisor.api.values import ServiceStatus
from supervisor.core.hostnames import domain_of, host_of
from supervisor.errors import PortsupError


class Followed:
    """One stack: what is known of it."""

    def __init__(self, stack: str, instance: int, run: str, socket: str) -> None:
        self.stack, self.instance, self.run, self.socket = stack, instance, run, socket
        self.picture = Picture()
        self.has_named = False  # its services have had their names here

    @property
    def domain(self) -> str:
        """What its names end with."""
        return domain_of(self.stack, self.instance)

    def names(self) -> Iterator[tuple[str, ServiceStatus]]:
        """Its services by the names that they have."""
        for row in tuple(self.picture.services.values()):
            if row.pool:
                yield host_of(row.name, self.stack, self.instance), row


class Stacks:
    """All of them; `changed` is notified of each change, and guards what is here."""

    def __init__(self, runtime: str, port: int) -> None:
        self.changed = threading.Condition()
        self.followed: dict[str, Followed] = {}  # by run id
        self.is_closing = False
        self._runtime, self._end = runtime, f":{port}"

    def add(self, run: str) -> Followed | None:
        """Follows a run, if it runs and is not followed already."""
        info = instance_of(self._runtime, run)
        with self.changed:
            if run in self.followed or info is None or self.is_closing:
                return self.followed.get(run)
            found = self.followed[run] = Followed(info.stack, info.instance, run, info.socket)
        threading.Thread(target=self._follow, args=(found,), daemon=True).start()
        return found

    def of(self, host: str) -> tuple[Followed, ServiceStatus] | None:
        """Who has that name; hold `changed`."""
        for each in self.followed.values():
            if host.endswith(f".{each.domain}"):
                for name, row in each.names():
                    if name == host:
                        return each, row
        return None

    def same_names(self, domain: str, run: str) -> Followed | None:
        """Another stack whose names end alike; hold `changed`."""
        return next((each for each in self.followed.values() if each.domain == domain and each.run != run), None)

    def _follow(self, followed: Followed) -> None:
        try:
            for _ in Stack(followed.socket).subscribe(followed.picture):
                with self.changed:
                    self.changed.notify_all()
                rows = followed.picture.services.values()
                is_named = any((row.name_url or "").endswith(self._end) for row in rows)
                if followed.has_named and not is_named:  # it has other names by now, or none
                    break
                followed.has_named |= is_named
        except PortsupError:  # it has ended
            pass
        finally:
            with self.changed:
                self.followed.pop(followed.run, None)
                self.changed.notify_all()
