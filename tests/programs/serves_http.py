"""Serves HTTP on $PORT until SIGTERM, after which it ends what it has begun: says who it is, counts and sends bodies,
sends events, and echoes what comes after an upgrade.
"""

import http.server
import os
import signal
import threading

CHUNK = bytes(1 << 16)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        kind, _, size = self.path.removeprefix("/").partition("/")
        if kind == "bytes":
            self.send_response(200)
            self.send_header("Content-Length", size)
            self.end_headers()
            left = int(size)
            while left > 0:
                self.wfile.write(CHUNK[:left])
                left -= len(CHUNK)
        elif kind == "events":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.close_connection = True
            for number in range(int(size)):
                self.wfile.write(f"data: {number}\n\n".encode())
                self.wfile.flush()
                pause.wait(0.2)
        elif kind == "upgrade":
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            self.close_connection = True
            while data := self.connection.recv(1 << 16):
                self.connection.sendall(data)
        else:
            self.answer(f"{os.environ['PORTSUP_STACK']} {os.environ['PORTSUP_INSTANCE']} {self.headers['Host']} "
                        f"{os.getpid()} {os.environ['PORT']}")  # fmt: skip

    def do_POST(self) -> None:
        left = size = int(self.headers["Content-Length"])
        while left > 0 and (data := self.rfile.read(min(left, 1 << 16))):
            left -= len(data)
        if self.path == "/who":
            self.do_GET()
        else:
            self.answer(str(size - left))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False  # those that are at work are waited for
    request_queue_size = 128


pause = threading.Event()
server = Server(("127.0.0.1", int(os.environ["PORT"])), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever(poll_interval=0.05)
pause.set()
server.server_close()
