"""By what the page knows its user: a link that works once, then a cookie, and a key that never leaves the page.  Pure.

A cookie goes to every server of a host, whatever its port, so whoever serves another port there gets to see it.  That
is why its name carries the port, and why it is only half of what a request needs: the other half, the page key, is
kept in the storage of the page's own origin, and comes in a header that no form and no other page can set.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence

LINK_BYTES = 32  # of randomness
LASTS = 30 * 24 * 3600  # seconds until somebody has to use a link again
PAGE_KEY_HEADER = "x-portsup-key"


class Keys:
    """The keys of one server: all but those of links can be checked by the next one that has the same secret."""

    def __init__(self, secret: str, port: int) -> None:
        """`secret` is that of the user, which nobody else can read."""
        self._secret = hmac.digest(secret.encode(), b"portsup web", "sha256")
        self._links: set[bytes] = set()  # the digests of those that nobody has used
        self.port = port
        self.cookie_name = f"portsup-{port}"

    def new_link_key(self) -> str:
        """What the next link carries behind its `#`."""
        key = secrets.token_urlsafe(LINK_BYTES)
        self._links.add(_digest(key))
        return key

    def use_link_key(self, key: str) -> bool:
        """Whether it is one that nobody has used; from now on somebody has."""
        try:
            self._links.remove(_digest(key))
        except KeyError:
            return False
        return True

    def new_cookie(self, now: float) -> str:
        """The value of the cookie; `now` is in seconds since 1970."""
        session = secrets.token_urlsafe(16)
        until = int(now + LASTS)
        return f"{until}.{session}.{self._signed('cookie', f'{self.port}.{until}.{session}')}"

    def is_cookie(self, value: str, now: float) -> bool:
        """Whether we, or one before us on this port, gave it, and not too long ago."""
        until, _, rest = value.partition(".")
        session, _, sign = rest.partition(".")
        if not (until.isascii() and until.isdigit() and len(until) < 16):
            return False
        is_ours = hmac.compare_digest(_bytes(sign), _bytes(self._signed("cookie", f"{self.port}.{until}.{session}")))
        return is_ours and now < int(until)

    def cookie_among(self, lines: Sequence[str], now: float) -> str:
        """The value of our cookie in the headers of a request; empty where there is none that holds.

        Others can set one of the same name for another path, so there may be several.
        """
        parts = (part.strip().partition("=") for line in lines for part in line.split(";"))
        values = (value for name, sign, value in parts if sign and name == self.cookie_name)
        return next((value for value in values if self.is_cookie(value, now)), "")

    def page_key(self, cookie: str) -> str:
        """What a page that has this cookie keeps beside it."""
        return self._signed("page", cookie)

    def is_page_key(self, key: str, cookie: str) -> bool:
        """Whether a request comes from the page that got this cookie."""
        return hmac.compare_digest(_bytes(key), _bytes(self.page_key(cookie)))

    def _signed(self, kind: str, text: str) -> str:
        return hmac.digest(self._secret, _bytes(f"{kind}:{text}"), "sha256").hex()


def _digest(key: str) -> bytes:
    """Sets compare quicker the less they have in common, so they compare digests."""
    return hashlib.sha256(_bytes(key)).digest()


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
