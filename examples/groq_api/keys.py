"""Several API keys that take turns; one that was refused or is over its limit rests.  Times are monotonic seconds."""

import math
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from examples.service import SettingError

REFUSED = 600.0  # how long a key rests that the upstream does not accept
LIMITED = 60.0  # the same for one over its limit, when the upstream does not say how long
LONGEST = 3600.0  # nobody is believed who asks for more: limits are raised, and clocks are wrong


@dataclass(slots=True)
class Key:
    """One key; it never shows in its own text."""

    number: int  # its place in the list, from 1: how people and logs name it
    secret: str
    uses: int = 0
    rests_until: float = float("-inf")
    why: str = ""

    def __repr__(self) -> str:
        return f"Key({self.number}, uses={self.uses}, why={self.why!r})"


class Keys:
    """The keys of a comma-separated list, in turn."""

    def __init__(self, text: str) -> None:
        secrets = dict.fromkeys(part.strip() for part in text.split(",") if part.strip())
        for number, secret in enumerate(secrets, 1):
            # Such a key could not be sent, and the error of whoever tried would show it.
            if not re.fullmatch(r"[!-~]+", secret):
                raise SettingError(f"key {number} of `GROQ_API_KEY` has a space or a letter that no key has")
        self._keys = [Key(number, secret) for number, secret in enumerate(secrets, 1)]
        self._next = 0

    def __len__(self) -> int:
        return len(self._keys)

    def take(self, now: float) -> Key | None:
        """The next key that does not rest; None when all do."""
        for _ in self._keys:
            key = self._keys[self._next]
            self._next = (self._next + 1) % len(self._keys)
            if now >= key.rests_until:
                key.uses += 1
                return key
        return None

    def refused(self, key: Key, now: float) -> float:
        """Lets a key rest that the upstream did not accept; the seconds it rests."""
        return self._rest(key, now, REFUSED, "refused")

    def limited(self, key: Key, now: float, retry_after: float | None) -> float:
        """The same for one that is over its limit."""
        return self._rest(key, now, LIMITED if retry_after is None else retry_after, "limited")

    def _rest(self, key: Key, now: float, seconds: float, why: str) -> float:
        # Requests overlap: a late answer to one of them does not shorten what an earlier one said.
        if now + seconds > key.rests_until:
            key.rests_until, key.why = now + seconds, why
        return key.rests_until - now

    def available(self, now: float) -> int:
        return sum(now >= key.rests_until for key in self._keys)

    def wait(self, now: float) -> float:
        """Seconds until the first key is back."""
        return max(0.0, min((key.rests_until for key in self._keys), default=now) - now)

    def report(self, now: float) -> list[dict[str, object]]:
        """Each key's fate, by its place in the list."""
        return [
            {
                "key": key.number,
                "uses": key.uses,
                "available": now >= key.rests_until,
                "why": key.why if now < key.rests_until else "",
                "back_in_s": round(max(0.0, key.rests_until - now), 1),
            }
            for key in self._keys
        ]


def retry_after(text: str | None, clock: float) -> float | None:
    """Seconds that a `Retry-After` header asks for, from 0 to `LONGEST`; None when it is absent or nonsense.

    RFC 9110, 10.2.3, has whole seconds or a date, for which `clock` is the time of day since 1970; Groq sends
    fractions as well.
    """
    try:
        seconds = float(text or "")
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text or "").timestamp() - clock
        except (ValueError, OverflowError):
            return None
    return None if math.isnan(seconds) else min(LONGEST, max(0.0, seconds))
