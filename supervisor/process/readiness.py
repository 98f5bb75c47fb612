"""How to ask a service whether it is ready: the parts that need no socket and no clock."""

import re

FIRST_DELAY = 0.001  # seconds
LONGEST_DELAY = 0.1  # seconds; a service that takes long is asked ten times a second
LONGEST_LINE = 1 << 16  # bytes of an unfinished line that are kept


def delay_before(attempt: int) -> float:
    """Seconds to wait before question number `attempt`, counted from 1, to a service that starts; doubles each time."""
    return min(FIRST_DELAY * 2.0 ** min(attempt - 1, 30), LONGEST_DELAY)


def http_request(host: str, port: int, path: str) -> bytes:
    """The bytes of a GET request for `path`, after which the server closes the connection."""
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    target = path if path.startswith("/") else f"/{path}"
    escaped = "".join(f"%{byte:02X}" if byte <= 32 or byte >= 127 else chr(byte) for byte in target.encode())
    lines = (f"GET {escaped} HTTP/1.1", f"Host: {place}", "User-Agent: portsup", "Accept: */*", "Connection: close")
    return "\r\n".join((*lines, "", "")).encode("ascii")


def http_status(answer: bytes) -> int | None:
    """The status code that an HTTP answer begins with, None if it does not begin like one."""
    found = re.match(rb"HTTP/\d(?:\.\d)? (\d{3})(?:[ \r\n]|$)", answer)
    return int(found[1]) if found else None


def http_verdict(answer: bytes) -> str:
    """What is wrong with an answer to `http_request`; "" for a status of 200 to 399."""
    status = http_status(answer)
    if status is None:
        return "got no answer" if not answer else "got an answer that is not HTTP"
    if 200 <= status < 400:
        return ""
    reason = answer.split(b"\r\n", 1)[0].split(b" ", 2)[2:]
    words = reason[0].decode("latin-1").strip() if reason else ""
    return f"answered {status} {words}".rstrip() if words.isprintable() else f"answered {status}"


class LogMatcher:
    """Looks for a line that matches a regular expression in what a service prints; raises re.error for a bad one."""

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)
        self._rest = b""

    def feed(self, chunk: bytes) -> bool:
        """Whether a line that ends in `chunk`, or what stands after the last newline, matches."""
        *lines, rest = (self._rest + chunk).split(b"\n")
        self._rest = rest[-LONGEST_LINE:]
        return any(self._pattern.search(line.decode(errors="replace").rstrip("\r")) for line in (*lines, rest) if line)
