"""What an event of the journal is: which one, how grave it is, and its facts as fields."""

from collections.abc import Mapping
from types import MappingProxyType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, dataclass_transform
else:

    def dataclass_transform(**_):
        """Tells type checkers what the constructor takes."""
        return lambda cls: cls


INFO, WARNING, ERROR = "info", "warning", "error"
_NONE = object()


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Event:
    """Something that happened.

    The fields of a subclass are its facts, in the order in which they are written; one that has its default is left
    out.  The docstring is what the reference says of it.  These are no dataclasses, because there are so many of them
    that making those would be felt in each start.
    """

    event: "ClassVar[str]" = ""
    level: "ClassVar[str]" = INFO
    is_frequent: "ClassVar[bool]" = False  # a service can cause it as often as it likes, by calls and messages alone
    is_quiet: "ClassVar[bool]" = False  # it is no part of the story of a failure
    is_failure: "ClassVar[bool]" = False  # something went wrong with a service
    _fields: "ClassVar[Mapping[str, Any]]" = MappingProxyType({})  # name -> default

    def __init_subclass__(cls) -> None:
        own = cls.__dict__.get("__annotations__", {})  # noqa: RUF063  `inspect` takes too long to import
        cls._fields = {**cls._fields, **{name: cls.__dict__.get(name, _NONE) for name in own}}

    def __init__(self, **facts: object) -> None:
        missing = [name for name, default in self._fields.items() if default is _NONE and name not in facts]
        unknown = facts.keys() - self._fields.keys()
        if missing or unknown:
            wrong = f"needs `{missing[0]}`" if missing else f"has no fact `{min(unknown)}`"
            raise TypeError(f"{type(self).__name__} {wrong}")
        self.__dict__.update(facts)

    @property
    def facts(self) -> "dict[str, Any]":
        """What is written of it, in order."""
        told = {name: getattr(self, name) for name in self._fields}
        return {
            name: value for name, value in told.items() if self._fields[name] is _NONE or value != self._fields[name]
        }

    @classmethod
    def types(cls) -> "dict[str, Any]":
        """Its facts, and the type of each."""
        found = (each.__dict__.get("__annotations__", {}) for each in reversed(cls.__mro__[:-2]))  # noqa: RUF063
        return {name: kind for annotations in found for name, kind in annotations.items()}

    @classmethod
    def required(cls) -> "list[str]":
        """Those that are always there."""
        return [name for name, default in cls._fields.items() if default is _NONE]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.facts.items())})"


class OfService(Event):
    """Something about a service."""

    service: str


class OfState(OfService):
    """Something after which a service is in this state."""

    state: str
