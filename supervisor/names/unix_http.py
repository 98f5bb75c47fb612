"""HTTP over a unix socket, for the few requests that processes of the proxy make."""

import http.client
import socket


class UnixConnection(http.client.HTTPConnection):
    """A connection to whoever listens at `path`."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connects; raises OSError."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def post(path: str, target: str, body: bytes, timeout: float) -> tuple[int, bytes]:
    """The status and the body of the answer; raises OSError."""
    connection = UnixConnection(path, timeout)
    try:
        connection.request("POST", target, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()
