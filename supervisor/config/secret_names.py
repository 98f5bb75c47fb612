"""Which names are those of secrets, and how to keep known secrets out of a text.

Names are split into words (`GROQ_API_KEY`, `apiKey`), so that KEY is a secret and MONKEY, KEYBOARD and PORT are not.
"""

import functools
import re
from collections.abc import Collection

HIDDEN = "***"
SHORTEST_LINE = 4  # characters of a key in PEM, whose last line may be short

WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset(("KEY", "KEYS", "TOKENS", "PASS", "PWD", "CREDS", "AUTH", "AUTHORIZATION", "BEARER", "JWT"))
_SECRET_ENDS = ("TOKEN", "APIKEY", "APIKEYS", "PRIVATEKEY", "ACCESSKEY", "AUTHKEY", "SECRETKEY")
_SECRET_PARTS = ("PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "CREDENTIAL")
# What the value is instead of the secret itself: SSH_KEY_PATH, TOKEN_TTL, SSH_AUTH_SOCK.
_HARMLESS_ENDS = frozenset(
    (
        *("FILE", "PATH", "DIR", "URL", "URI", "HOST", "PORT", "SOCK", "SOCKET", "ENDPOINT", "HEADER", "NAME", "TYPE"),
        *("TTL", "TIMEOUT", "EXPIRY", "EXPIRES", "LENGTH", "SIZE", "LIMIT", "COUNT", "ROTATION", "VERSION", "PREFIX"),
        *("ALGORITHM", "METHOD", "MODE", "ENABLED", "DISABLED", "REQUIRED", "ISSUER", "REGION"),
    )
)
_HARMLESS_WORDS = frozenset(("PUBLIC", "MAX", "MIN", "NUM", "PER"))
_HARMLESS_NAMES = frozenset(("PWD", "OLDPWD"))


@functools.lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether a variable of this name likely holds a secret."""
    words = [word.upper() for word in WORDS.findall(name)]
    if not words or name in _HARMLESS_NAMES or words[-1] in _HARMLESS_ENDS or _HARMLESS_WORDS.intersection(words):
        return False
    if words[-2:] == ["KEY", "ID"] and "ACCESS" not in words:  # which key it is
        return False
    if (words[-1] == "PAT" and len(words) > 1) or words[-1] == "COOKIE":  # a personal access token
        return True
    return any(
        word in _SECRET_WORDS or word.endswith(_SECRET_ENDS) or any(part in word for part in _SECRET_PARTS)
        for word in words
    )


def redact(text: str, secrets: Collection[str]) -> str:
    """`text` with every secret value in it replaced by `***`; the longest first, as one may contain another."""
    if not text:
        return text
    for secret in sorted(secrets, key=len, reverse=True):
        if secret and secret in text:
            text = text.replace(secret, HIDDEN)
    return text
