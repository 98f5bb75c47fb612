"""Answers each message of a websocket on $PORT with itself and the port; on SIGTERM closes all of them in order."""

import os
import signal
import threading

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve


def echo(connection: ServerConnection) -> None:
    try:
        for message in connection:
            connection.send(f"{message!s} by {os.environ['PORT']}")
    except ConnectionClosed:
        pass


with serve(echo, "127.0.0.1", int(os.environ["PORT"])) as server:
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
