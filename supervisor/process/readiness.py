"""How to ask a service whether it is ready: the parts that need no socket and no clock."""

import re
from collections.abc import Sequence

from supervisor.core.escapes import is_plain, segments
from supervisor.core.reasons import HttpAnswer
from supervisor.system.patterns import TooSlow, found, within_limit

GOOD = range(200, 400)  # statuses of HTTP
LONGEST_QUOTE = 100  # characters of what an answer should have that are shown
LONGEST_LINE = 1 << 16  # bytes of an unfinished line that are kept
MOST_OVERRUNS = 3  # times that the pattern of `ready: {log: …}` may take too long
LOOK_BACK = 4096  # bytes of it that are looked at once more when more of it comes


def http_request(
    host: str, port: int, path: str, method: str = "GET", headers: Sequence[tuple[str, str]] = ()
) -> bytes:
    """The bytes of a request for `path`, after which the server closes the connection; `headers` win over ours."""
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    target = path if path.startswith("/") else f"/{path}"
    escaped = "".join(f"%{byte:02X}" if byte <= 32 or byte >= 127 else chr(byte) for byte in target.encode())
    ours = {"Host": place, "User-Agent": "portsup", "Accept": "*/*", "Connection": "close"}
    if method in ("POST", "PUT", "PATCH"):
        ours["Content-Length"] = "0"
    given = {name.lower() for name, _ in headers}
    sent = [*((name, value) for name, value in ours.items() if name.lower() not in given), *headers]
    lines = (f"{method} {escaped} HTTP/1.1", *(f"{name}: {value}" for name, value in sent))
    return "\r\n".join((*lines, "", "")).encode()


def http_status(answer: bytes) -> int | None:
    """The status code that an HTTP answer begins with, None if it does not begin like one."""
    found = re.match(rb"HTTP/\d(?:\.\d)? (\d{3})(?:[ \r\n]|$)", answer)
    return int(found[1]) if found else None


def http_verdict(
    answer: bytes, good: Sequence[range] = (GOOD,), contains: str = "", matches: str = "", method: str = "GET"
) -> HttpAnswer | None:
    """What is wrong with an answer to `http_request`; None for a status and a body as they should be."""
    status = http_status(answer)
    if status is None:
        return HttpAnswer("no-http" if answer else "nothing")
    if any(status in each for each in good):
        body = http_body(answer, method) if contains or matches else ""
        if contains not in body:
            return HttpAnswer("lacks", status, contains[:LONGEST_QUOTE])
        try:
            is_right = not matches or within_limit(lambda: re.search(matches, body) is not None)
        except TooSlow:
            return HttpAnswer("slow-pattern", status, matches[:LONGEST_QUOTE])
        return None if is_right else HttpAnswer("no-match", status, matches[:LONGEST_QUOTE])
    reason = answer.split(b"\r\n", 1)[0].split(b" ", 2)[2:]
    said = reason[0].decode("latin-1").strip() if reason else ""
    wanted = (f"{each[0]}-{each[-1]}" if len(each) > 1 else str(each[0]) for each in good if tuple(good) != (GOOD,))
    return HttpAnswer("status", status, said if said.isprintable() else "", tuple(wanted))


def http_body(answer: bytes, method: str = "GET") -> str:
    """The body of an HTTP answer as text, as far as it is there."""
    import io
    from http.client import HTTPException, HTTPResponse, IncompleteRead

    class Answer:
        def makefile(self, _mode: str) -> io.BytesIO:
            return io.BytesIO(answer)

    response = HTTPResponse(Answer(), method=method)  # type: ignore[arg-type]
    try:
        response.begin()
        body = response.read()
    except IncompleteRead as part:
        body = part.partial
    except (HTTPException, ValueError, OSError):
        body = b""
    return body.decode("utf-8", "replace")


class LogMatcher:
    """Looks for a line that matches a regular expression in what a service prints; raises re.error for a bad one.

    Control codes do not count, and what stands between carriage returns is a line as well.  Where the expression takes
    too long, what was to be matched is passed over; after MOST_OVERRUNS of these nothing is matched any more.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)
        self.overruns = 0
        self._rests: dict[str, bytes] = {}
        self.last = b""  # what came last and is no blank line

    def feed(self, chunk: bytes, source: str = "") -> bool:
        """Whether a line that ends in `chunk`, or what stands after the last newline of that `source`, matches."""
        *lines, rest = (self._rests.get(source, b"") + chunk).split(b"\n")
        self._rests[source] = rest[-LONGEST_LINE:]

        def search() -> bool:
            if any(self._matches(line) for line in lines if line):
                return True
            # Of a long line that does not end only the end is new; `^` means its beginning all the same.
            return bool(rest) and self._matches(rest, len(chunk) + LOOK_BACK)

        try:
            if self.overruns < MOST_OVERRUNS and within_limit(search):
                return True
        except TooSlow:
            self.overruns += 1
        self.last = next((line for line in (rest, *reversed(lines)) if line.strip()), self.last)
        return False

    def _matches(self, line: bytes, most: int = LONGEST_LINE) -> bool:
        text = line.decode(errors="replace").rstrip("\r")
        if found(self._pattern, text, max(0, len(text) - most)):
            return True
        return not is_plain(line) and any(found(self._pattern, part) for part in segments(text))
