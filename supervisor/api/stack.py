"""A running stack, for programs: what the command line asks of it, as methods with types."""

import os
import time
from collections.abc import Iterator
from typing import Any

from supervisor.api.goals import hopeless, is_there
from supervisor.api.log_search import SECONDS, search_logs
from supervisor.api.picture import Picture
from supervisor.api.values import (
    Address,
    Environment,
    Event,
    Gap,
    LogLine,
    LogPage,
    LogQuery,
    Outcome,
    Progress,
    Resources,
    ServiceStatus,
    Update,
    Usages,
)
from supervisor.control.client import PATIENCE, Client, DaemonGone
from supervisor.control.progress import Changes
from supervisor.errors import ExitCode, WaitTimedOut
from supervisor.logs.state_dir import instance_directory
from supervisor.ports.instances import running
from supervisor.ports.runtime import RuntimeDir
from supervisor.words import answers, instances

__all__ = ["DaemonGone", "Stack"]

_LOOK_AT_CLOCK = 0.2  # seconds, while nothing changes


class Stack:
    """One running instance.

    ```python
    stack = Stack.find("shop")
    for service in stack.status():
        print(service.name, service.state, service.url)
    stack.restart("api")
    for event in stack.events("api"):
        print(event)
    ```
    Every call is a connection of its own, so an object may be used by several threads.  What the daemon refuses is
    raised as the `PortsupError` that the command line would show; nobody there is `NotFound`.
    """

    def __init__(self, socket: str | os.PathLike[str] | None = None, *, patience: float = PATIENCE) -> None:
        """The instance with this control socket; left out, the one that this process is a service of.

        `patience` is how many seconds an answer may take before the instance counts as stuck.
        """
        path = socket or os.environ.get("PORTSUP_SOCKET")
        if not path:
            raise instances.no_socket()
        self._client = Client(path, patience)

    @classmethod
    def find(cls, name: str | None = None, instance: int | None = None) -> "Stack":
        """The running instance of the stack called `name`, or the only one; raises NotFound if it is not just one."""
        found = [
            info
            for info in running(RuntimeDir.find())
            if name in (None, info.stack) and instance in (None, info.instance)
        ]
        if len(found) != 1:
            raise instances.several_fit(instances.of(info.stack, info.instance) for info in found)
        return cls(found[0].socket)

    def status(self, *services: str) -> list[ServiceStatus]:
        """The services, or all of them."""
        return list(self._client.status(services).services)

    def resources(self, *services: str) -> dict[str, Resources | None]:
        """What these use of the machine, or all of them, by name; None for one without a process."""
        return self._client.resources(services).resources

    def changes(self) -> Iterator[list[ServiceStatus]]:
        """All services now, and again after each change, until the instance ends."""
        for answer in self._client.watch():
            if answer is not None:
                yield list(answer.services)

    def subscribe(
        self, picture: Picture | None = None, *, events: bool = False, usage: bool = False
    ) -> Iterator[Update]:
        """What changes, numbered, from the first line with everything on, until the instance ends.

        With `picture` it goes on behind what that knows, and lays each change into it before giving it.  `events` are
        those of the journal; `usage` is what the services use, now and every 10 s.
        """
        known = picture or Picture()
        for update in self._client.subscribe(run=known.run, after=known.seq, events=events, usage=usage):
            if update is not None:
                known.apply(update)
                yield update

    def trend(self, *services: str) -> Usages:
        """What these, or all, used in the last hour, as far as somebody watched by `subscribe(usage=True)`."""
        return self._client.trend(services)

    def port_history(self, port: int) -> list[Event]:
        """What the journal still knows of a port, the last 200 events: who took it, who left it and why."""
        return list(self._client.port_history(port).events)

    def addresses(self) -> dict[str, Address]:
        """Where each service is, by name; services without ports are left out."""
        return self._client.addresses().endpoints

    def events(self, *services: str) -> Iterator[Event | Gap]:
        """What happens from now on, to these services or at all, until the instance ends."""
        for news in self._client.news("events", services):
            if news is not None and news.event is not None:
                yield news.event
            elif news is not None and news.gap is not None:
                yield Gap(news.gap)

    def logs(self, *services: str) -> Iterator[LogLine | Gap]:
        """What these services, or all, print from now on, until the instance ends."""
        for news in self._client.news("logs", services):
            if news is None:
                continue
            yield from news.lines or ()
            if news.gap is not None:
                yield Gap(news.gap)

    def search(self, *services: str, query: LogQuery | None = None, seconds: float = SECONDS) -> LogPage:
        """What these services, or all, have written so far, as far as `query` asks for it, in the order of time.

        It is read from the files, which costs the instance nothing.  What was found after `seconds` is given as it is.
        """
        told = self._client.ping()
        names = services or [each.name for each in self.status()]
        return search_logs(instance_directory(told.stack, told.instance), names, query, seconds)

    def wait(self, *services: str, goal: str = "ready", timeout: float | None = None) -> list[ServiceStatus]:
        """Returns once these services, or all, are `ready`, `listening`, `healthy`, or have `exited`.

        Raises WaitTimedOut after `timeout` seconds, PortsupError with the exit code 10 for one that will not get there
        by itself, DaemonGone, a NotFound, where the instance ends first.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        what = answers.not_waited(goal)
        for status in self._client.watch(None if deadline is None else _LOOK_AT_CLOCK):
            if status is not None:
                chosen = [row for row in status.services if not services or row.name in services]
                if missing := [name for name in services if name not in {row.name for row in chosen}]:
                    raise answers.no_service(missing[0])
                late = [row for row in chosen if not is_there(row, goal)]
                for row in late:
                    if why := hopeless(row, goal):
                        error = answers.hopeless(row.name, goal, why)
                        error.exit_code = ExitCode.GAVE_UP
                        raise error
                if not late:
                    return chosen
            if deadline is not None and time.monotonic() >= deadline:
                raise WaitTimedOut(what, answers.states((row.name, row.state) for row in late))
        ended = answers.ended_meanwhile(what)
        raise DaemonGone(ended.what, ended.why, ended.hint)

    def start(self, *services: str) -> list[Outcome]:
        """Starts these and what they need, or all; returns when they are ready or have failed."""
        return self._do("start", services=list(services))

    def stop(self, *services: str, timeout: float | None = None) -> list[Outcome]:
        """Stops these, or all; `timeout` is in seconds, instead of each one's grace period."""
        return self._do("stop", services=list(services), timeout=timeout)

    def restart(self, *services: str, timeout: float | None = None, rolling: bool = False) -> list[Outcome]:
        """Stops these, or all, and starts them again; `rolling`: the new process is ready before the old one stops."""
        return self._do("restart", services=list(services), timeout=timeout, rolling=rolling or None)

    def rotate(self, service: str) -> Outcome:
        """Moves a service to the next port of its pool."""
        return self._do("rotate", service=service)[0]

    def scale(self, service: str, replicas: int) -> Outcome:
        """Runs so many processes of a service, until the next `reload`."""
        return self._do("scale", replicas={service: replicas})[0]

    def kill(self, *services: str, signal: int = 9) -> list[Outcome]:
        """Sends a signal to the main processes of these, or of all."""
        return self._do("kill", services=list(services), signal=int(signal))

    def reload(self, *files: str | os.PathLike[str]) -> list[Outcome]:
        """Applies what has changed in services.yaml; tells of the services that were touched.

        With `files` it runs with these from now on, later ones laid over the first.
        """
        return self._do("reload", files=[os.path.abspath(file) for file in files] or None)

    def compare(self, *files: str | os.PathLike[str]) -> Changes:
        """What `reload` would do, and nothing is changed."""
        how = [os.path.abspath(file) for file in files] or None
        lines = list(self._client.order("reload", dry_run=True, files=how))
        return next((line.difference for line in lines if line.difference is not None), Changes((), (), ()))

    def down(self, timeout: float | None = None) -> list[Outcome]:
        """Stops everything and ends the instance; returns when its ports are free."""
        return self._do("down", timeout=timeout)

    def environment(self, service: str | None = None) -> Environment:
        """The variables of a service, or those that lead to the services; with which of them are secret."""
        return self._client.environment(service)

    def progress(self, what: str, **arguments: Any) -> Iterator[Progress]:
        """What comes of an order, such as `start`, step by step; the last line has the results.

        `what` and its arguments are those of the control protocol.
        """
        return self._client.order(what, **arguments)

    def _do(self, what: str, **arguments: Any) -> list[Outcome]:
        return [result for answer in self.progress(what, **arguments) for result in answer.results or ()]
