"""An HTTP server on $PORT: GET /health says 200, or 503 after GET /sick until GET /well; GET /exit/N ends it with N.

GET /key/K is for those who send K as their X-Key; others get 401.
"""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    healthy = True

    def do_GET(self) -> None:
        match self.path:
            case "/sick" | "/well":
                Handler.healthy = self.path == "/well"
            case path if path.startswith("/exit/"):
                os._exit(int(path.removeprefix("/exit/")))
        status = 200 if Handler.healthy or self.path == "/sick" else 503
        if self.path.startswith("/key/") and self.headers["X-Key"] != self.path.removeprefix("/key/"):
            status = 401
        body = b'{"status": "%s"}\n' % (b"ok" if status == 200 else b"unavailable")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


ThreadingHTTPServer((os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"])), Handler).serve_forever()
