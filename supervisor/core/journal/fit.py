"""Whether a line that was read back is an event: its facts are of the types that the catalogue gives them.  Pure."""

from collections.abc import Iterator, Mapping

from supervisor.core.journal import BY_NAME, OfService
from supervisor.core.replicas import MOST

_LARGEST = 1e18  # of a number: none that is written comes near it, and some of a file would be too large for a float

Kinds = Mapping[str, tuple[type, ...]]

_KINDS: dict[str, Kinds] = {}


def fits(told: Mapping[str, object]) -> bool:
    """Whether its moment, its level and its name are texts, and each known fact is of its type.

    A fact may be missing, as in a line of an older portsup, and others may be there, as in one of a newer.
    """
    if not all(isinstance(told.get(key), str) for key in ("time", "level", "event")):
        return False
    kinds = _kinds_of(str(told["event"]))
    return all(_is(told[name], kinds[name]) for name in kinds if name in told) and _is_replica(told.get("replica"))


def _kinds_of(name: str) -> Kinds:
    if name not in _KINDS:
        types = {"seq": int, **OfService.types(), **BY_NAME.get(name, OfService).types()}
        _KINDS[name] = {fact: tuple(_kinds(annotation)) for fact, annotation in types.items()}
    return _KINDS[name]


def _kinds(annotation: object) -> Iterator[type]:
    origin = getattr(annotation, "__origin__", None)
    if isinstance(origin, type) and origin in (list, dict):
        yield origin
    elif isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        yield annotation
        if annotation is float:
            yield int
    else:
        for each in getattr(annotation, "__args__", ()):
            yield from _kinds(each)


def _is(value: object, kinds: tuple[type, ...]) -> bool:
    if isinstance(value, int | float) and not -_LARGEST < value < _LARGEST:  # nor is NaN
        return False
    return isinstance(value, kinds)


def _is_replica(value: object) -> bool:
    return value is None or (isinstance(value, int) and 0 < value <= MOST)
