"""Typed messages to and from the JSON objects of the control protocol.

A message is a dataclass; the names of its fields are the keys.  Where a class names one of its fields in `REST`, that
has all keys which are no field.
"""

from collections.abc import Callable, Mapping

from supervisor.dataclass import fields, is_dataclass

TYPE_CHECKING = False  # importing `typing` for this would cost `status` two milliseconds
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")
    Reader = Callable[[Any], Any]


class Misfit(ValueError):
    """An object is not the message that was expected; says which key is wrong."""


def as_json(message: object) -> "dict[str, Any]":
    """The object that tells of a message: every field of it, also those that are None.

    Where the class has a `REST`, keys that would be None are left out.
    """
    cls = type(message)
    names = _NAMES.get(cls) or _names_of(cls)
    told: dict[str, Any] = {}
    for name in names:  # written out: a status of a thousand services is made of forty thousand of these
        value = getattr(message, name)
        told[name] = value if type(value) in _AS_THEY_ARE else _plain(value)
    rest = getattr(cls, "REST", None)
    if rest is None:
        return told
    facts: dict[str, Any] = _plain(getattr(message, rest))
    return {name: value for name, value in told.items() if value is not None} | facts


_NAMES: "dict[type, tuple[str, ...]]" = {}
_AS_THEY_ARE = frozenset({str, int, float, bool, type(None)})


def _names_of(cls: type) -> "tuple[str, ...]":
    rest = getattr(cls, "REST", None)
    _NAMES[cls] = names = tuple(each.name for each in fields(cls) if each.name != rest)
    return names


def line_of(message: object) -> "dict[str, Any]":
    """The same for a line of an answer, which leaves out what there is nothing to tell of."""
    return {name: value for name, value in as_json(message).items() if value is not None}


def read(cls: "type[T]", told: object) -> "T":
    """The message that an object tells of; keys that a newer portsup adds are left alone.

    Raises Misfit for what is no object, lacks a key that has always been there, or has another kind of value.
    """
    if not isinstance(told, Mapping):
        raise Misfit(f"a {cls.__name__} is an object, not {_kind_of(told)}")
    rest = getattr(cls, "REST", None)
    found: dict[str, object] = {}
    for name, reader in _readers_of(cls).items():
        if name in told:
            try:
                found[name] = reader(told[name])
            except Misfit as error:
                raise Misfit(f"`{name}`: {error}") from None
    if rest is not None:
        found[rest] = {key: value for key, value in told.items() if key not in found}
    try:
        return cls(**found)
    except TypeError:
        missing = next(each.name for each in fields(cls) if each.name not in found)  # type: ignore[arg-type]
        raise Misfit(f"a {cls.__name__} has no `{missing}`") from None


_READERS: "dict[type, dict[str, Reader]]" = {}


def _readers_of(cls: type) -> "dict[str, Reader]":
    if cls not in _READERS:
        rest = getattr(cls, "REST", None)
        _READERS[cls] = {each.name: reader_of(each.type) for each in fields(cls) if each.name != rest}
    return _READERS[cls]


def reader_of(annotation: object) -> "Reader":
    """What reads a value of this type; numbers and texts are taken as they come."""
    if is_dataclass(annotation):
        return lambda told: read(annotation, told)  # type: ignore[arg-type]
    origin, inside = getattr(annotation, "__origin__", None), _inside(annotation)
    if origin is tuple:
        return _reader_of_list(reader_of(inside[0]))
    if origin is dict:
        return _reader_of_object(reader_of(inside[1]))
    if type(None) in inside:  # a union; since Python 3.14 it has an origin, too
        (only,) = (each for each in inside if each is not type(None))
        reader = reader_of(only)
        return lambda told: None if told is None else reader(told)
    return lambda told: told


def _inside(annotation: "Any") -> "tuple[Any, ...]":
    return getattr(annotation, "__args__", ())


def _reader_of_list(reader: "Reader") -> "Reader":
    def of_list(told: object) -> object:
        if not isinstance(told, list):
            raise Misfit(f"it is a list, not {_kind_of(told)}")
        return tuple(map(reader, told))

    return of_list


def _reader_of_object(reader: "Reader") -> "Reader":
    def of_object(told: object) -> object:
        if not isinstance(told, Mapping):
            raise Misfit(f"it is an object, not {_kind_of(told)}")
        return {key: reader(value) for key, value in told.items()}

    return of_object


def _kind_of(told: object) -> str:
    return "null" if told is None else type(told).__name__


def _plain(value: "Any") -> "Any":
    if type(value) in _AS_THEY_ARE or isinstance(value, str | int | float):
        return value
    if is_dataclass(value):
        return as_json(value)
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value]
