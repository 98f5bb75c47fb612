"""An HTTP server on $PORT that answers with its pid, and on SIGTERM finishes what it has accepted.

The first argument may name a file: what is in it is done at the start.  `exit` ends at once, `never` does not listen,
`late` listens and answers 503, `half` listens and prints nothing, otherwise `serving` is printed; `stubborn` does not
end on SIGTERM.
"""

import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

mode = Path(sys.argv[1]).read_text().strip() if len(sys.argv) > 1 and Path(sys.argv[1]).exists() else ""


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = str(os.getpid()).encode()
        self.send_response(503 if mode == "late" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = False  # their end is waited for


if mode == "exit":
    print("no good", flush=True)
    sys.exit(3)
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode == "never":
    print("waits", flush=True)
    time.sleep(1000)
server = Server(("127.0.0.1", int(os.environ["PORT"])), Answer)
if mode != "stubborn":
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
if mode != "half":
    print("serving", os.getpid(), flush=True)
server.serve_forever(poll_interval=0.05)
server.server_close()
