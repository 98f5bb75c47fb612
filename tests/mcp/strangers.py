"""Programs from npm that others wrote, and what leads them to a server that wants a token."""

import contextlib
import http.client
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.support.needed import need
from tests.support.running import ROOT

NODE = Path(sys.executable).parent / "node"
PROGRAMS = ROOT / "build" / "npm" / "node_modules" / ".bin"
_OF_ONE_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


def need_programs() -> None:
    """Skips the test where they are missing."""
    for program in (NODE, PROGRAMS / "conformance", PROGRAMS / "mcp-inspector"):
        need(program.exists(), str(program), "`sh .ci/setup.sh stack,dev` installs it")


def node(program: str, *arguments: str, home: Path) -> "subprocess.CompletedProcess[str]":
    """What one of them says, with a home of its own."""
    path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
    places = {name: value for name, value in os.environ.items() if name.startswith("PORTSUP_")}
    env = {**places, "HOME": str(home), "NO_COLOR": "1", "PATH": path, "PYTHONPATH": str(ROOT)}
    command = [str(NODE), str(PROGRAMS / program), *arguments]
    return subprocess.run(command, cwd=home, env=env, capture_output=True, text=True, timeout=100)


@contextmanager
def with_token(port: int, token: str) -> Iterator[int]:
    """The port of a server that hands on to `port` what it is asked, with the token: conformance cannot send one."""

    class Hands(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def hand_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items() if name.lower() not in _OF_ONE_HOP}
            for name in {"host", "origin"} & headers.keys():
                headers[name] = headers[name].replace(f":{here}", f":{port}")
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as there:
                there.request(self.command, self.path, body, {**headers, "Authorization": f"Bearer {token}"})
                answer = there.getresponse()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in _OF_ONE_HOP:
                        self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                with contextlib.suppress(BrokenPipeError):  # it has heard enough
                    while data := answer.read1(1 << 16):
                        self.wfile.write(data)
                        self.wfile.flush()

        do_GET = do_POST = do_DELETE = hand_on

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hands) as server:
        here = server.server_address[1]
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield here
        server.shutdown()
