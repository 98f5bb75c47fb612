"""Several API keys that take turns; one that was refused or is over its limit rests.  Times are monotonic seconds."""

from dataclasses import dataclass

REFUSED = 600.0  # how long a key rests that the upstream does not accept
LIMITED = 60.0  # the same for one over its limit, when the upstream does not say how long


@dataclass(slots=True)
class Key:
    """One key; it never shows in its own text."""

    secret: str
    uses: int = 0
    rests_until: float = float("-inf")
    why: str = ""

    def __repr__(self) -> str:
        return f"Key(uses={self.uses}, why={self.why!r})"


class Keys:
    """The keys of a comma-separated list, in turn."""

    def __init__(self, text: str) -> None:
        self._keys = [Key(secret) for secret in dict.fromkeys(part.strip() for part in text.split(",")) if secret]
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

    def refused(self, key: Key, now: float) -> None:
        key.rests_until, key.why = now + REFUSED, "refused"

    def limited(self, key: Key, now: float, retry_after: float | None) -> None:
        key.rests_until, key.why = now + (LIMITED if retry_after is None else retry_after), "limited"

    def available(self, now: float) -> int:
        return sum(now >= key.rests_until for key in self._keys)

    def wait(self, now: float) -> float:
        """Seconds until the first key is back."""
        return max(0.0, min((key.rests_until for key in self._keys), default=now) - now)

    def report(self, now: float) -> list[dict[str, object]]:
        """Each key's fate, by its place in the list."""
        return [
            {
                "key": number,
                "uses": key.uses,
                "available": now >= key.rests_until,
                "why": key.why if now < key.rests_until else "",
                "back_in_s": round(max(0.0, key.rests_until - now), 1),
            }
            for number, key in enumerate(self._keys, 1)
        ]


def retry_after(text: str | None) -> float | None:
    """Seconds that a `Retry-After` header asks for; None when it is absent or a date. It may be fractional."""
    try:
        return min(3600.0, max(0.0, float(text))) if text else None
    except ValueError:
        return None
