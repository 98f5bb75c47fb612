"""An HTTP server on $PORT at the address that the first argument names; `v6only` behind it leaves IPv4 alone."""

import os
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

address = sys.argv[1]


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"{os.getpid()} {self.headers['Host']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

    def server_bind(self) -> None:
        if ":" in address:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, "v6only" in sys.argv)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = address, self.server_address[1]


Server((address, int(os.environ["PORT"])), Answer).serve_forever()
