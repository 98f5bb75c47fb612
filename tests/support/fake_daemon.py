"""A daemon made of canned answers: a thread that speaks the control protocol over a real unix socket."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Answer = bytes | Mapping[str, Any]
Script = Callable[[dict[str, Any]], Iterable[Answer]]
Answers = Mapping[str, Sequence[Answer] | Script]


NODE = {"kind": "held", "how": "listening", "name": "node", "pid": 77, "user": "ada"}


def row(name: str, **changes: Any) -> dict[str, Any]:
    """A service of a status answer: running on 6000 unless `changes` say otherwise."""
    return {
        "name": name,
        "instance": 1,
        "state": "running",
        "status": "active",
        "health": "healthy",
        "port": 6000,
        "url": "http://127.0.0.1:6000",
        "pid": 4121,
        "uptime_s": 125.4,
        "restarts": 0,
        "exit_code": None,
        "result": None,
        "pool": [
            {"port": 6000, "state": "active", "holder": ""},
            {"port": 6001, "state": "spare", "holder": ""},
            {"port": 6002, "state": "taken", "holder": "held by `node` (pid 77, user ada)", "cause": NODE},
        ],
        "reason": "",
        **changes,
    }


def status(*rows: Mapping[str, Any], warnings: tuple[str, ...] = ()) -> dict[str, Any]:
    """The answer to `status`, and one line of `watch`."""
    return {
        "ok": True,
        "services": list(rows),
        "stack": "shop",
        "instance": 1,
        "run_id": "r-1",
        "warnings": list(warnings),
    }


def refusal(what: str, why: str = "", hint: str = "", exit_code: int = 1) -> dict[str, Any]:
    """The answer that it could not be done."""
    return {"ok": False, "error": {"what": what, "why": why, "hint": hint, "exit_code": exit_code}}


class FakeDaemon:
    """Answers every request by what `answers` has for its `do`, and remembers what it was asked.

    An answer is a list of lines (mappings, or bytes sent as they are), or a function from the request to such lines;
    the connection ends after the last one.
    """

    def __init__(self, path: Path, answers: Answers) -> None:
        self.path = path
        self.answers = dict(answers)
        self.asked: list[dict[str, Any]] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(8)
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> "FakeDaemon":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it as if its process had ended."""
        for open_socket in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
            open_socket.close()
        for thread in self._threads:
            thread.join(5)
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rwb") as stream:
            request = json.loads(stream.readline())
            self.asked.append(request)
            script = self.answers.get(request["do"], [refusal(f"cannot {request['do']}", "nobody taught me")])
            lines: Iterable[Answer] = script if isinstance(script, Sequence) else script(request)
            for answer in lines:
                stream.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode() + b"\n")
                stream.flush()
