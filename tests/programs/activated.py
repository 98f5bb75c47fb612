"""Accepts on the listening socket that it was given, if it was meant for it, sd_listen_fds(3); answers with its pid.

With `binds` it binds its port all the same; with `leaves` it shuts the socket down when its first client comes, and
ends when that has gone.
"""

import os
import socket
import sys

assert os.environ["LISTEN_PID"] == str(os.getpid()), (os.environ["LISTEN_PID"], os.getpid())
assert os.environ["LISTEN_FDS"] == "1"
if sys.argv[1:] == ["binds"]:
    server = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
else:
    server = socket.socket(fileno=3)
print(f"listening as {os.environ['LISTEN_FDNAMES']} on {server.getsockname()}, {server.getblocking()}", flush=True)
while True:
    connection, _ = server.accept()
    with connection:
        if sys.argv[1:] == ["leaves"]:
            server.shutdown(socket.SHUT_RDWR)
        connection.sendall(b"%d\n" % os.getpid())
        if sys.argv[1:] == ["leaves"]:
            connection.recv(1)
            sys.exit()
