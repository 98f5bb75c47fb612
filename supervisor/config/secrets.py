"""Which names and values are secrets, and how to keep them out of what is shown.

Names are split into words (`GROQ_API_KEY`, `apiKey`), so that KEY is a secret and MONKEY, KEYBOARD and PORT are not.
"""

import functools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

HIDDEN = "***"
SHORTEST = 4  # shorter values would turn every log line into stars

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
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
_HARMLESS_VALUES = frozenset(
    (
        *("true", "false", "none", "null", "auto", "default", "enabled", "disabled", "required", "optional"),
        *("basic", "bearer", "digest", "token"),
    )
)
_URL_PASSWORD = re.compile(r"://[^/@:\s]{0,200}:([^/@\s]{1,500})@")
_MOST_PARTS = 50
_HEADING = re.compile(r"-----[A-Z ]{1,60}-----")
# `--token=X`, `PASSWORD=X` of a shell, `?key=X` of a URL; a reference such as $TOKEN or {port} is no secret.
_ASSIGNED = re.compile(r"(?:^|[?&;\s])-{0,2}([A-Za-z][\w.-]{0,60})=([^\s&;'\"${][^\s&;'\"]{0,500})")
_NO_SECRET = re.compile(r"^[-${]|\.(?:pem|key|crt|cer|p12|json|txt)$")


@functools.lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether a variable of this name likely holds a secret."""
    words = [word.upper() for word in _WORDS.findall(name)]
    if not words or name in _HARMLESS_NAMES or words[-1] in _HARMLESS_ENDS or _HARMLESS_WORDS.intersection(words):
        return False
    return any(
        word in _SECRET_WORDS or word.endswith(_SECRET_ENDS) or any(part in word for part in _SECRET_PARTS)
        for word in words
    )


def secret_values(name: str, value: str) -> Iterator[str]:
    """The parts of a variable that no output may show: its value, or the password inside a URL."""
    if is_secret_name(name):
        # A list of keys in one variable is several secrets; of a PEM file each line is one, and its headings are none.
        has_lines = "\n" in value.strip()
        parts = value.splitlines() if has_lines else re.split(r"[,;\s]+", value, maxsplit=_MOST_PARTS)
        yield from (part for part in (value, *parts) if _is_worth_hiding(part) and not _HEADING.fullmatch(part))
    yield from (found for found in _URL_PASSWORD.findall(value) if _is_worth_hiding(found))


def header_variable(name: str) -> str:
    """The name of a header as that of a variable that is as secret: cookies are."""
    return "SECRET" if name.lower() == "cookie" else name


def secrets_among(words: Sequence[str]) -> Iterator[str]:
    """The parts of a command line or URL that no output may show: `--token=X`, `--token X`, `PASSWORD=X`, `?key=X`."""
    for word, following in zip(words, (*words[1:], ""), strict=False):
        assigned = _ASSIGNED.findall(word)
        if not assigned and word.startswith("-"):
            assigned = [(word, following)]
        for name, value in assigned:
            if not _NO_SECRET.search(value):
                yield from secret_values(name, value)
        yield from (found for found in _URL_PASSWORD.findall(word) if _is_worth_hiding(found))


def redact(text: str, secrets: Collection[str]) -> str:
    """`text` with every secret value in it replaced by `***`; the longest first, as one may contain another."""
    for secret in sorted(secrets, key=len, reverse=True):
        if secret and secret in text:
            text = text.replace(secret, HIDDEN)
    return text


def redact_environment(environment: Mapping[str, str], secrets: Collection[str]) -> dict[str, str]:
    """The environment as it may be shown: variables with a secret name hidden, secret values hidden anywhere."""
    return {
        name: HIDDEN if is_secret_name(name) and value else redact(value, secrets)
        for name, value in environment.items()
    }


def _is_worth_hiding(value: str) -> bool:
    return len(value) >= SHORTEST and value.lower() not in _HARMLESS_VALUES
