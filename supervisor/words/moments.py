"""Moments in words; imports nothing, since `status` must not wait for it."""


def moment(at: str) -> str:
    """A moment as people read it: `2026-11-29 03:00:00 +01:00`."""
    day, _, rest = at.partition("T")
    return f"{day} {rest[:8]} {rest[8:]}".rstrip()
