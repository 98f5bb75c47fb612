"""Several API keys that take turns; a refused one rests, and one that met the limit of a model rests for that model.

Groq's limits are for each model by itself: a key that may ask one of them no more may ask the others.  Times are
monotonic seconds.
"""

import math
import re
from dataclasses import dataclass, field
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
    refused_until: float = float("-inf")
    limited_until: dict[str, float] = field(default_factory=dict)  # by model; "" for requests that name none

    def __repr__(self) -> str:
        return f"Key({self.number}, uses={self.uses})"

    def back_at(self, model: str) -> float:
        """When it can be used again for a model."""
        return max(self.refused_until, self.limited_until.get(model, float("-inf")))


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

    def take(self, now: float, model: str = "") -> Key | None:
        """The next key that does not rest for this model; None when all do."""
        for _ in self._keys:
            key = self._keys[self._next]
            self._next = (self._next + 1) % len(self._keys)
            if now >= key.back_at(model):
                key.uses += 1
                return key
        return None

    def refused(self, key: Key, now: float) -> float:
        """Lets a key rest that the upstream did not accept, for all models; the seconds it rests."""
        key.refused_until = max(key.refused_until, now + REFUSED)
        return key.refused_until - now

    def limited(self, key: Key, now: float, retry_after: float | None, model: str = "") -> float:
        """Lets a key rest for a model whose limit it has met; the seconds it rests."""
        over = [other for other, until in key.limited_until.items() if now >= until]
        for other in over:
            del key.limited_until[other]
        # Requests overlap: a late answer to one of them does not shorten what an earlier one said.
        until = now + (LIMITED if retry_after is None else retry_after)
        key.limited_until[model] = max(key.limited_until.get(model, until), until)
        return key.back_at(model) - now

    def available(self, now: float, model: str | None = None) -> int:
        """How many can be used for a model; without one, how many are not refused."""
        return sum(now >= (key.refused_until if model is None else key.back_at(model)) for key in self._keys)

    def wait(self, now: float, model: str | None = None) -> float:
        """Seconds until the first key is back."""
        back = (key.refused_until if model is None else key.back_at(model) for key in self._keys)
        return max(0.0, min(back, default=now) - now)

    def report(self, now: float) -> list[dict[str, object]]:
        """Each key's fate, by its place in the list: whether it can be used for every model, else why and how long."""
        rows: list[dict[str, object]] = []
        for key in self._keys:
            limited = {model: round(until - now, 1) for model, until in key.limited_until.items() if now < until}
            refused = max(0.0, key.refused_until - now)
            why = "refused" if refused else "limited" if limited else ""
            back = round(max([refused, *limited.values()]), 1)
            row = {"key": key.number, "uses": key.uses, "available": not why, "why": why, "back_in_s": back}
            rows.append({**row, "limited": limited})
        return rows


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
