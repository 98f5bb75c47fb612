"""A small real server that speaks as much of Ollama's and OpenAI's API as the proxies need to be tried on."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORDS = ("one ", "two ", "three")


@dataclass
class Upstream:
    """What the server does, and what it was asked; `pause` makes it wait for `go_on` after the first word.

    `holds` makes it wait before it answers anything.
    """

    url: str = ""
    pause: bool = False
    holds: bool = False
    go_on: threading.Event = field(default_factory=threading.Event)
    refusals: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)  # by Authorization
    break_off: bool = False
    words: tuple[str, ...] = WORDS
    models: tuple[str, ...] = ("tiny:latest", "llama3.2:1b")
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def asked(self, path: str) -> list[dict[str, Any]]:
        """The bodies that were sent to a path."""
        return [json.loads(body) for _, seen, _, body in self.seen if seen == path]


@contextmanager
def upstream(port: int = 0) -> Iterator[Upstream]:
    """Runs one until the end of the block."""
    state = Upstream()

    connections: set[socket.socket] = set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            connections.add(self.connection)

        def finish(self) -> None:
            connections.discard(self.connection)
            super().finish()

        def do_GET(self) -> None:
            self._seen(b"")
            if self.path == "/health/ready":
                self._json({"status": "ok"})
            elif self.path == "/api/version":
                self._json({"version": "0.9.9"})
            elif self.path == "/api/tags":
                models = [{"name": name, "model": name, "size": 7, "details": {}} for name in state.models]
                self._json({"models": models})
            elif self.path in ("/v1/models", "/openai/v1/models"):
                self._json({"object": "list", "data": [{"id": name, "object": "model"} for name in state.models]})
            else:
                self._json({"error": "no such path: " + self.path}, 404)

        def do_POST(self) -> None:
            body = self._body()
            self._seen(body)
            if refusal := state.refusals.get(self.headers.get("authorization", "")):
                self._json({"error": {"message": "refused", "code": "refused"}}, refusal[0], refusal[1])
                return
            try:
                asked = json.loads(body)
            except ValueError:
                self._json({"bytes": len(body)})
                return
            model = asked.get("model")
            if self.path == "/api/embed":
                self._json({"model": model, "embeddings": [[0.5, 0.25] for _ in asked["input"]]})
            elif self.path == "/api/pull":
                self._stream("application/x-ndjson", self._pulled())
            elif self.path in ("/api/chat", "/api/generate"):
                if model not in state.models:
                    self._json({"error": f"model '{model}' not found"}, 404)
                else:
                    self._stream("application/x-ndjson", self._ndjson(asked))
            elif asked.get("stream"):
                self._stream("text/event-stream", self._sse(asked))
            else:
                message = {"role": "assistant", "content": "".join(state.words)}
                self._json({"model": model, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

        def _ndjson(self, asked: dict[str, Any]) -> Iterator[bytes]:
            for word in (*state.words, ""):
                part = {"response": word} if "prompt" in asked else {"message": {"role": "assistant", "content": word}}
                done = {"done": False} if word else {"done": True, "done_reason": "stop", "eval_count": 3}
                yield json.dumps({**part, **done}).encode() + b"\n"

        def _pulled(self) -> Iterator[bytes]:
            for part in ({"status": "pulling", "completed": 3, "total": 7}, {"status": "success"}):
                yield json.dumps(part).encode() + b"\n"

        def _sse(self, asked: dict[str, Any]) -> Iterator[bytes]:
            for word in state.words:
                yield b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": word}}]}).encode() + b"\n\n"
            if (asked.get("stream_options") or {}).get("include_usage"):
                yield b'data: {"choices": [], "usage": {"completion_tokens": 3}}\n\n'
            yield b"data: [DONE]\n\n"

        def _stream(self, kind: str, parts: Iterator[bytes]) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for number, part in enumerate(parts):
                if number == 1 and state.pause:
                    state.go_on.wait(20)
                if number == 1 and state.break_off:
                    self.close_connection = True
                    return
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

        def _json(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            for name, text in {"content-type": "application/json", **(headers or {})}.items():
                self.send_header(name, text)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _body(self) -> bytes:
            if self.headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("content-length") or 0))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _seen(self, body: bytes) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.seen.append((self.command, self.path, headers, body))
            if state.holds:
                state.go_on.wait(20)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:  # clients go away in the middle; that is what some tests are about
            pass

    server = Server(("127.0.0.1", port), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.go_on.set()
        server.shutdown()
        server.server_close()
        for connection in tuple(connections):  # one that is kept open would be answered still
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
