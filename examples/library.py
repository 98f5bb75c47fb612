"""A small web server that owns its port without any supervisor: `python -m examples.library [PORT ...]`.

It takes the first free port of its pool, so that a second copy gets the next one, and ends as soon as the lock of its
ports is lost.
"""

import socket
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from supervisor import PortPool
from supervisor.errors import PortsupError

POOL = (6030, 6031, 6032, 6033)


class Server(HTTPServer):
    """An HTTPServer on a socket that listens already."""

    def __init__(self, listening: socket.socket) -> None:
        super().__init__(listening.getsockname(), Hello, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.server_name, self.server_port = listening.getsockname()[:2]


class Hello(BaseHTTPRequestHandler):
    """Answers every GET with the port that the server got."""

    server: Server

    def do_GET(self) -> None:
        body = f"hello from port {self.server.server_port}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing about single requests."""


def main(ports: list[int]) -> int:
    """Serve until Ctrl-C (0), or until the port cannot be had or kept (the exit code of the error)."""
    try:
        with PortPool("hello", ports or POOL).acquire() as lease:
            for port, why in lease.skipped:
                print(f"port {port}: {why}", flush=True)
            print(f"http://127.0.0.1:{lease.port}/", flush=True)
            Server(lease.socket).serve_forever()
    except KeyboardInterrupt:
        pass
    except PortsupError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main([int(argument) for argument in sys.argv[1:]]))
