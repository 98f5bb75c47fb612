"""The command line's end of the control socket: blocking, with a limit on silence, and light to import."""

import _socket  # `socket` makes enums of all its constants, which takes `status` a tenth of its time
import contextlib
import json
import os
import time
from collections.abc import Iterator, Sequence

from supervisor.control.json_form import Misfit, read
from supervisor.control.refusals import error_from
from supervisor.errors import REFUSALS, NotFound, PortsupError
from supervisor.system import HAS_JOBS, connect_control

TYPE_CHECKING = False  # importing `typing` for this would cost `status` two milliseconds
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from supervisor.control.messages import Addresses, Environment, News, Pong, Usage
    from supervisor.control.progress import Progress
    from supervisor.control.status import StackStatus
    from supervisor.control.updates import PortEvents, Update, Usages

    T = TypeVar("T")

PROTOCOL = 1
PATIENCE = 10.0  # seconds without an answer to a plain question before we stop waiting
LONGEST_LINE = 64 * 1024 * 1024  # bytes; two hundred services are about 100 KiB


class DaemonGone(NotFound):
    """Nobody answers on the socket, or the connection ended before the answer did."""


class Client:
    """Questions to one running instance; every question is a connection of its own."""

    def __init__(self, socket_path: "str | os.PathLike[str]", patience: float = PATIENCE) -> None:
        self.path = os.fspath(socket_path)
        self.patience = patience

    def ask(self, do: str, /, **args: object) -> "dict[str, Any]":
        """The one line that answers; raises the `PortsupError` that the daemon answered with, or our own."""
        for answer in self._lines(do, args, self.patience, give_up=True):
            if answer is not None:
                return answer
        raise self._ended_early()

    def stream(self, do: str, /, **args: object) -> "Iterator[dict[str, Any]]":
        """Each line of an answer of many, the one with `end` included; waits as long as the instance is well."""
        for answer in self._lines(do, args, self.patience, give_up=False):
            if answer is None:
                self.ask("ping")  # silence is only for one who works: a process that is stopped would hold us forever
            else:
                yield answer
                if answer.get("end"):
                    return
        raise self._ended_early()

    def follow(self, do: str, every: float | None = None, /, **args: object) -> "Iterator[dict[str, Any] | None]":
        """The lines of a stream until the instance ends; None whenever `every` seconds brought no news."""
        for answer in self._lines(do, args, every, give_up=False):
            yield answer
            if answer is not None and answer.get("end"):
                return

    def ping(self) -> "Pong":
        """Who answers."""
        from supervisor.control.messages import Pong

        return self._read(Pong, self.ask("ping"))

    def status(self, services: Sequence[str] = ()) -> "StackStatus":
        """The services, or all of them."""
        from supervisor.control.status import StackStatus

        return self._read(StackStatus, self.ask("status", services=list(services)))

    def watch(self, every: float | None = None) -> "Iterator[StackStatus | None]":
        """The status at once and after each change; None whenever `every` seconds brought no news."""
        from supervisor.control.status import StackStatus

        for answer in self.follow("watch", every):
            if answer is None:
                yield None
            elif "services" in answer:  # the last line has none
                yield self._read(StackStatus, answer)

    def resources(self, services: Sequence[str] = ()) -> "Usage":
        """What the services use of the machine, or all of them."""
        from supervisor.control.messages import Usage

        return self._read(Usage, self.ask("resources", services=list(services)))

    def addresses(self) -> "Addresses":
        """Where each service is."""
        from supervisor.control.messages import Addresses

        return self._read(Addresses, self.ask("endpoints"))

    def environment(self, service: str | None = None) -> "Environment":
        """The variables of a service, or those that lead to the services."""
        from supervisor.control.messages import Environment

        return self._read(Environment, self.ask("env", service=service))

    def news(self, kind: str, services: Sequence[str] = (), every: float | None = None) -> "Iterator[News | None]":
        """The `events` or `logs` of these services or of all; None whenever `every` seconds brought none."""
        from supervisor.control.messages import News

        for answer in self.follow(kind, every, services=list(services)):
            yield None if answer is None else self._read(News, answer)

    def subscribe(self, every: float | None = None, **asked: object) -> "Iterator[Update | None]":
        """Everything, then what changes, as `Subscribe` asks for it; None whenever `every` seconds brought no news."""
        from supervisor.control.updates import Update

        for answer in self.follow("subscribe", every, **asked):
            yield None if answer is None else self._read(Update, answer)

    def trend(self, services: Sequence[str] = ()) -> "Usages":
        """What the services, or all, used in the last hour."""
        from supervisor.control.updates import Usages

        return self._read(Usages, self.ask("trend", services=list(services)))

    def port_history(self, port: int) -> "PortEvents":
        """What became of a port."""
        from supervisor.control.updates import PortEvents

        return self._read(PortEvents, self.ask("history", port=port))

    def order(self, do: str, /, **args: object) -> "Iterator[Progress]":
        """What comes of an order, such as `start`; the last line has the results."""
        from supervisor.control.progress import Progress

        for answer in self.stream(do, **args):
            yield self._read(Progress, answer)

    def _read(self, cls: "type[T]", answer: "dict[str, Any]") -> "T":
        try:
            return read(cls, answer)
        except Misfit as error:
            hint = "use the portsup that started it, or end it with that one and start it with this one"
            raise PortsupError("cannot understand the answer of the running instance", str(error), hint) from None

    def _lines(
        self, do: str, args: dict[str, object], wait: float | None, give_up: bool
    ) -> "Iterator[dict[str, Any] | None]":
        request = {"v": PROTOCOL, "do": do} | {name: value for name, value in args.items() if value is not None}
        with contextlib.closing(self._connect()) as connection:
            pending = bytearray()
            try:
                connection.sendall(json.dumps(request).encode() + b"\n")
                connection.settimeout(wait)
                while True:
                    try:
                        chunk = connection.recv(65536)
                    except TimeoutError:
                        if give_up:
                            raise self._silent() from None
                        yield None
                        continue
                    if not chunk:
                        if pending:
                            raise self._ended_early()
                        return
                    pending += chunk
                    *lines, rest = pending.split(b"\n")
                    for line in lines:
                        yield self._parse(bytes(line))
                    pending = rest
                    if len(pending) > LONGEST_LINE:
                        raise self._nonsense("a line without an end")
            except TimeoutError:
                raise self._silent() from None
            except (BrokenPipeError, ConnectionResetError) as error:
                raise self._ended_early() from error
            except OSError as error:
                raise self._unreachable(error) from error

    def _connect(self) -> "Any":
        if HAS_JOBS:
            return self._open_pipe()
        try:
            connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        except OSError as error:
            raise self._unreachable(error) from error
        connection.settimeout(self.patience)
        deadline = time.monotonic() + self.patience
        try:
            while True:
                try:
                    connection.connect(self.path)
                    break
                except BlockingIOError:  # its queue of new connections is full; with a time limit none waits for that
                    if time.monotonic() > deadline:
                        raise TimeoutError from None
                    time.sleep(0.01)
        except BaseException as error:
            connection.close()
            if isinstance(error, OSError):
                raise self._unreachable(error) from error
            raise
        return connection

    def _open_pipe(self) -> "Any":
        try:
            return connect_control(self.path, self.patience)
        except OSError as error:
            raise self._unreachable(error) from error

    def _parse(self, line: bytes) -> "dict[str, Any]":
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            raise self._nonsense(line) from None
        if not isinstance(answer, dict) or not isinstance(answer.get("ok"), bool):
            raise self._nonsense(line)
        version = answer.get("v", PROTOCOL)
        if version != PROTOCOL:
            raise PortsupError(
                "cannot talk to the running instance",
                f"it speaks version {version} of the control protocol, and this portsup version {PROTOCOL}",
                "use the portsup that started it, or end it with that one and start it with this one",
            )
        if not answer["ok"]:
            raise error_from(answer.get("error"))
        return answer

    def _unreachable(self, error: OSError) -> PortsupError:
        if isinstance(error, FileNotFoundError | ConnectionRefusedError):
            return DaemonGone(
                "cannot reach the running instance",
                f"nobody answers on `{self.path}`",
                "it may be just starting or ending: try again, or end it with `kill` and the pid in `portsup ls`",
            )
        if isinstance(error, PermissionError):
            return PortsupError(
                "cannot reach the running instance",
                f"`{self.path}` belongs to another user",
                "run this as the user who ran `portsup up`",
            )
        if isinstance(error, TimeoutError):
            return self._silent()
        hint = REFUSALS.get(error.errno or 0, "")
        return PortsupError("cannot reach the running instance", f"`{self.path}`: {error.strerror or error}", hint)

    def _silent(self) -> PortsupError:
        return PortsupError(
            "cannot get an answer from the running instance",
            f"`{self.path}` was silent for {self.patience:g} s",
            "its process may be stopped (SIGSTOP, a debugger) or starved: `portsup ls` shows its pid",
        )

    def _ended_early(self) -> PortsupError:
        return DaemonGone(
            "cannot get the whole answer from the running instance",
            "it ended the connection first",
            "`portsup ls` shows whether it still runs; its log says why it ended",
        )

    def _nonsense(self, line: bytes | str) -> PortsupError:
        shown = line if isinstance(line, str) else repr(line[:60])[1:]
        return PortsupError(
            "cannot understand the answer of the running instance",
            f"{shown} is not of the control protocol",
            f"is it really portsup that listens on `{self.path}`?",
        )
