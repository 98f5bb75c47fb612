"""What a reason is: facts, or a text that says what somebody else said; all of them are in core/reasons.py."""

from supervisor.core.facts import Facts


class Reason(Facts):
    """One reason; the class says which, its fields are what belongs to it."""

    @classmethod
    def kind_of(cls) -> str:
        """Its name on the wire: `ended-by-signal`."""
        return "".join(f"-{each.lower()}" if each.isupper() else each for each in cls.__name__).removeprefix("-")


Cause = Reason | str


def facts_of(cause: Cause) -> "dict[str, object] | None":
    """What programs read of a reason; None of one that somebody else gave."""
    if isinstance(cause, str):
        return None
    return {"kind": cause.kind_of()} | {name: _plain(value) for name, value in cause.facts.items()}


def _plain(value: object) -> object:
    if isinstance(value, Reason):
        return facts_of(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value
