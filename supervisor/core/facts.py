"""Light classes for facts: what happened, and why.

They are no dataclasses, because there are so many of them that making those would be felt in each start.
"""

from collections.abc import Mapping
from types import MappingProxyType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar
    from typing import dataclass_transform as dataclass_transform
else:

    def dataclass_transform(**_):
        """Tells type checkers what the constructor takes."""
        return lambda cls: cls


NONE = object()


@dataclass_transform(frozen_default=True)
class Facts:
    """Some facts, as fields; those of a subclass are its annotations, in their order."""

    defaults: "ClassVar[Mapping[str, Any]]" = MappingProxyType({})  # by the name of each field; NONE for none

    def __init_subclass__(cls) -> None:
        own = cls.__annotations__  # none of those above it; what __dict__ has is no longer these since Python 3.14
        cls.defaults = {**cls.defaults, **{name: cls.__dict__.get(name, NONE) for name in own}}
        setattr(cls, "__match_args__", tuple(cls.defaults))  # noqa: B010  type checkers know it from the fields

    def __init__(self, *args: object, **facts: object) -> None:
        given = {**dict(zip(self.defaults, args, strict=False)), **facts}
        missing = [name for name, default in self.defaults.items() if default is NONE and name not in given]
        unknown = [name for name in given if name not in self.defaults]
        if missing or unknown or len(args) > len(self.defaults):
            name = type(self).__name__
            if missing:
                raise TypeError(f"{name} needs `{missing[0]}`")
            raise TypeError(f"{name} has no fact `{unknown[0] if unknown else args[-1]}`")
        self.__dict__.update(given)

    @property
    def facts(self) -> "dict[str, Any]":
        """Its fields, in order, but for those that have their default."""
        told = ((name, getattr(self, name), default) for name, default in self.defaults.items())
        return {name: value for name, value, default in told if default is NONE or value != default}

    @classmethod
    def types(cls) -> "dict[str, Any]":
        """Its fields, and the type of each."""
        found = (each.__annotations__ for each in reversed(cls.__mro__[:-2]))
        return {name: kind for annotations in found for name, kind in annotations.items() if name in cls.defaults}

    @classmethod
    def required(cls) -> "list[str]":
        """Those that are always there."""
        return [name for name, default in cls.defaults.items() if default is NONE]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash((type(self), tuple(self.__dict__.items())))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.facts.items())})"
