"""What is answered where no service does: the address of one that is ready now, its reason, or the names there are."""

import html
import http.server
import json
import time
from typing import Any

from supervisor.api.values import ServiceStatus
from supervisor.core.escapes import tamed
from supervisor.core.hostnames import DOMAIN, name_url
from supervisor.core.state import AT_REST
from supervisor.errors import PortsupError
from supervisor.names import caddy
from supervisor.names.stacks import Followed, Stacks
from supervisor.words import naming

WAITS = 30.0  # seconds that a client waits for a service that is coming
BEHIND = 1.0  # seconds by which what is known here may lag
_REACHED = ("running", "idle")
_SAFE = ("GET", "HEAD", "OPTIONS")  # may be sent once more, RFC 9110, section 9.2.1
_OURS = (DOMAIN, "127.0.0.1", "[::1]", "::1")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<title>{title}</title><body style="font: 1rem/1.5 system-ui; max-width: 40rem; margin: 2rem auto; padding: 0 1rem">
<h1 style="font-size: 1.3rem">{title}</h1>{body}</body></html>
"""


class Answer(http.server.BaseHTTPRequestHandler):
    """One request; `have` is how a stack makes itself known."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    stacks: Stacks
    port: int
    https: bool

    def address_string(self) -> str:
        """Nobody's, over a unix socket."""
        return "-"

    def log_message(self, *_: Any) -> None:
        """Says nothing of what was asked."""

    def version_string(self) -> str:
        """Who answers."""
        return "portsup"

    def do_POST(self) -> None:
        """`/have`: a stack wants to be answered for."""
        try:
            told = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            answer = self.have(str(told["run"]), https=told["https"] is True)
        except (KeyError, TypeError, ValueError):
            self._send(400, b"", "text/plain")
            return
        except PortsupError as error:
            answer = {"why": error.why or error.what, "hint": error.hint}
        self._send(200 if answer else 503, json.dumps(answer).encode(), "application/json")

    def have(self, run: str, *, https: bool) -> dict[str, Any] | None:
        """How that goes; None where it is to be tried again.  The server puts it in."""
        raise NotImplementedError

    def do_GET(self) -> None:
        """What Caddy asks."""
        host = self.headers.get(caddy.HOST, "").lower().rstrip(".")
        error = self._told(caddy.ERROR)
        deadline = time.monotonic() + WAITS
        begun = time.monotonic()
        with self.stacks.changed:
            while (found := self.stacks.of(host)) is not None:
                row = found[1]
                address = (row.url or "").removeprefix("http://")
                if self.path != caddy.ASK or not self._may_go_on(error) or row.state in AT_REST:
                    break
                is_stale = error is not None and address in error and time.monotonic() < begun + BEHIND
                if row.state in _REACHED and address and not is_stale:
                    self._lead(address)
                    return
                if (left := (begun + BEHIND if is_stale else deadline) - time.monotonic()) <= 0:
                    break
                self.stacks.changed.wait(left)
        if found is None:
            self._no_such_name(host)
        else:
            self._down(*found)

    def _may_go_on(self, error: str | None) -> bool:
        """Whether a request that has failed so may be sent again: nobody has got it yet, or it does no harm."""
        return error is None or error.partition(" ")[0] == "dial" or self.headers.get(caddy.METHOD) in _SAFE

    def _told(self, name: str) -> str | None:
        told = self.headers.get(name, "")
        return None if not told or told.startswith("{") else told  # Caddy leaves a placeholder without value as it is

    def _lead(self, address: str) -> None:
        self.send_response(200)
        self.send_header(caddy.LEADS_TO, address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _down(self, followed: Followed, row: ServiceStatus) -> None:
        title = naming.is_down(row.name, followed.stack)
        why = tamed(naming.why_down(row.state, row.reason))
        if row.state in _REACHED and row.port is not None:
            why = naming.not_taken(row.port)
        told = {"error": title, "why": why, "hint": naming.hint(row.name), "state": row.state}
        self._say(502, told, [f"<p>{html.escape(why)}</p><p>{_coded(told['hint'])}</p>"])

    def _no_such_name(self, host: str) -> None:
        bare = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if bare not in _OURS and not bare.endswith(f".{DOMAIN}"):  # a page elsewhere that was led here learns nothing
            self._say(421, {"error": naming.NOT_HERE}, [])
            return
        with self.stacks.changed:
            names = sorted((name, row) for each in self.stacks.followed.values() for name, row in each.names())
        shown = [{"url": name_url(name, self.port, https=self.https), "state": row.state} for name, row in names]
        items = "".join(
            f'<li><a href="{html.escape(each["url"])}">{html.escape(each["url"])}</a> {html.escape(each["state"])}</li>'
            for each in shown
        )
        body = f"<p>{naming.NAMES_THERE_ARE}</p><ul>{items or f'<li>{naming.NONE}</li>'}</ul>"
        self._say(404, {"error": naming.no_service(host), "names": shown}, [body])

    def _say(self, status: int, told: dict[str, Any], body: list[str]) -> None:
        accepts = self.headers.get("Accept", "")
        if "text/html" in accepts:
            page = _PAGE.format(title=html.escape(told["error"]), body="".join(body))
            self._send(status, page.encode(), "text/html; charset=utf-8")
        elif "json" in accepts:
            self._send(status, json.dumps(told).encode(), "application/json")
        else:
            lines = [told["error"], *filter(None, (told.get("why"), told.get("hint")))]
            if "names" in told:
                lines += [naming.NAMES_THERE_ARE, *(f"  {each['url']}  {each['state']}" for each in told["names"])]
            self._send(status, "".join(f"{line}\n" for line in lines).encode(), "text/plain; charset=utf-8")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", _POLICY)
        self.end_headers()
        if self.headers.get(caddy.METHOD) != "HEAD":
            self.wfile.write(body)


def _coded(text: str) -> str:
    """Words in backticks as code."""
    parts = html.escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
