"""Keeps secrets out of what services print: lines of bytes, which may be long, cut anywhere, and no UTF-8.

One `bytes.replace` a secret is several times quicker than one pattern of them all, which Python tries at every byte.
"""

import re
from collections.abc import Collection

from supervisor.config.secret_names import HIDDEN, SHORTEST_LINE

_HIDDEN = HIDDEN.encode()


class Redactor:
    """Knows the secrets of a stack as programs print them; false while there are none."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        self._secrets: tuple[bytes, ...] = ()  # the longest first, as one may contain another
        self.learn(secrets)

    def __bool__(self) -> bool:
        return bool(self._secrets)

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """What must not be shown."""
        return self._secrets

    def learn(self, secrets: Collection[str]) -> None:
        """Hide these as well from now on; of a key in PEM each line of four bytes or more."""
        if secrets:
            lines = {line for secret in secrets for line in _lines(secret)}
            self._secrets = tuple(sorted(lines.union(self._secrets), key=lambda line: (-len(line), line)))

    def hide(self, flow: bytes, *, is_whole: bool) -> tuple[bytes, bytes]:
        """`flow` with `***` for each secret, and what must wait, as a secret may begin there.

        The second is the beginning of the next flow, and empty where this one ends with a line or `is_whole`.
        """
        for secret in self._secrets:
            flow = flow.replace(secret, _HIDDEN)
        if is_whole or not self._secrets or flow.endswith(b"\n"):
            return flow, b""
        end = max(0, len(flow) - len(self._secrets[0]) + 1)
        return flow[:end], flow[end:]


def _lines(secret: str) -> list[bytes]:
    try:
        lines = re.split(rb"[\r\n]+", secret.encode(errors="surrogateescape"))
    except UnicodeEncodeError:  # half a surrogate pair: no program can be given that
        return []
    if len(lines) == 1:
        return lines if lines[0] else []
    # What lines of another text are secrets of their own, the configuration tells.
    return [line for line in lines if len(line) >= SHORTEST_LINE] if "-----BEGIN" in secret else []
