"""Dataclasses that cost little to define.

`dataclasses.dataclass` writes the source of each class's methods and compiles it at every import: 0.4 ms a class, a
third of the time `portsup up` takes to import itself; and it imports `inspect`, for which `portsup status` has no other
use.  This decorator gives classes the same behaviour by methods that are written once and read the names of the fields
from the class; only a class of which many instances are made gets an `__init__` of its own.  It knows what this package
uses of the original: `frozen`, `eq`, `__post_init__`, defaults, factories, fields that are not initialized,
inheritance; the classes have slots always.  Type checkers see the original.
"""

from itertools import repeat
from operator import attrgetter, call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass, field, fields, is_dataclass, replace

    __all__ = ["dataclass", "field", "fields", "is_dataclass", "replace"]
else:
    _NONE = object()
    _PLAIN = {type, type(list[int]), type(int | None)}  # kinds of annotations; what is slow is to write one out
    _MANY = 30  # instances that pay for a compilation

    class Field:
        """What is known of one field, as in `dataclasses.Field`."""

        __slots__ = ("default", "default_factory", "init", "name", "put", "type")

        def __init__(self, default, default_factory, init):
            self.name = ""
            self.type = None  # the annotation
            self.default = default
            self.default_factory = default_factory
            self.init = init
            self.put = None  # sets it in an instance, also in one that is frozen

    class _Shape:
        """What the methods have to know of a class."""

        __slots__ = ("cls", "fields", "given", "has_plain_init", "made", "places", "puts", "values")

        def __init__(self, cls, fields):
            for each in fields:
                each.put = getattr(cls, each.name).__set__
            names = [each.name for each in fields]
            self.cls = cls
            self.made = 0
            self.fields = fields
            self.given = [each for each in fields if each.init]
            self.puts = [each.put for each in fields]
            self.has_plain_init = len(self.given) == len(fields) and not hasattr(cls, "__post_init__")
            self.places = {name: place for place, name in enumerate(names)}
            self.values = _getter(names)

    def field(*, default=_NONE, default_factory=_NONE, init=True):
        """A field that needs more than an annotation and a default, as `dataclasses.field`."""
        return Field(default, default_factory, init)

    def dataclass(*, frozen=False, slots=True, eq=True):
        """A decorator that makes a class a dataclass, as `dataclasses.dataclass`."""
        if not slots:
            raise TypeError("dataclasses of this package have slots")
        return lambda cls: _made(cls, frozen, eq)

    def fields(of):
        """The fields of a class or an instance, in their order; raises TypeError for what is no dataclass."""
        try:
            return tuple(of.__dataclass_shape__.fields)
        except AttributeError:
            raise TypeError("must be called with a dataclass or an instance of one") from None

    def is_dataclass(of):
        """Whether it is a class made here, or an instance of one."""
        return hasattr(of, "__dataclass_shape__")

    def replace(instance, /, **changes):
        """A copy with other values in some fields; raises TypeError for a field that there is not."""
        cls = instance.__class__
        shape = cls.__dataclass_shape__
        if not shape.has_plain_init:
            return cls(**{each.name: getattr(instance, each.name) for each in shape.given} | changes)
        values, places = list(shape.values(instance)), shape.places
        for name, value in changes.items():
            if name not in places:
                raise TypeError(f"{cls.__qualname__} has no field `{name}`")
            values[places[name]] = value
        copy = cls.__new__(cls)
        any(map(call, shape.puts, repeat(copy), values))  # a loop that is not Python's own: each gives None
        return copy

    def _made(cls, frozen, eq):
        found = {}
        if cls.__bases__ != (object,):
            for base in reversed(cls.__mro__[1:]):
                if "__dataclass_shape__" in base.__dict__:
                    found |= {each.name: _copy(each) for each in base.__dict__["__dataclass_shape__"].fields}
        inherited = set(found)
        annotations = cls.__annotations__  # its own alone; what __dict__ has is no longer these since Python 3.14
        body = dict(cls.__dict__)
        for name, annotation in annotations.items():
            if annotation.__class__ in _PLAIN or "ClassVar" not in str(annotation):
                value = body.pop(name, _NONE)
                found[name] = value if isinstance(value, Field) else Field(value, _NONE, True)
                found[name].name, found[name].type = name, annotation
        for name in ("__dict__", "__weakref__"):
            body.pop(name, None)
        body["__qualname__"] = cls.__qualname__
        body["__slots__"] = tuple(name for name in found if name not in inherited)
        body["__match_args__"] = tuple(name for name, each in found.items() if each.init)
        body["__init__"] = _init
        body.setdefault("__repr__", _repr)
        if eq:
            body.setdefault("__eq__", _eq)
            if body.get("__hash__") is None:
                body["__hash__"] = _hash if frozen else None
        if frozen:
            body |= {"__setattr__": _refuse, "__delattr__": _refuse, "__getstate__": _state, "__setstate__": _set_state}
        body["__dataclass_fields__"] = _ORIGINAL_FIELDS
        body["__dataclass_shape__"] = shape = _ShapeToBe(list(found.values()))
        shape.cls = made = type(cls)(cls.__name__, cls.__bases__, body)
        return made

    class _ShapeToBe:
        """Makes the shape of a class when somebody needs it: at a start that is half of them."""

        __slots__ = ("cls", "fields")

        def __init__(self, fields):
            self.fields = fields

        def __get__(self, instance, cls):
            self.cls.__dataclass_shape__ = shape = _Shape(self.cls, self.fields)
            return shape

    class _OriginalFields:
        """What the functions of `dataclasses` look for, such as `asdict`; made when one of them does."""

        def __get__(self, instance, cls):
            import dataclasses as original

            shape = cls.__dataclass_shape__
            told = []
            for each in shape.fields:
                how = {"init": each.init}
                if each.default is not _NONE:
                    how["default"] = each.default
                elif each.default_factory is not _NONE:
                    how["default_factory"] = each.default_factory
                told.append((each.name, each.type, original.field(**how)))
            found = original.make_dataclass(cls.__name__, told, kw_only=True).__dataclass_fields__
            cls.__dataclass_fields__ = found
            return found

    _ORIGINAL_FIELDS = _OriginalFields()

    def _getter(names):
        """What gives the values of these attributes as a tuple."""
        get = attrgetter(*names) if names else None
        return get if len(names) > 1 else lambda instance: (get(instance),) if get is not None else ()

    def _copy(original):
        copy = Field(original.default, original.default_factory, original.init)
        copy.name, copy.type = original.name, original.type
        return copy

    def _init(self, *args, **named):
        shape = self.__dataclass_shape__
        shape.made += 1
        if shape.made == _MANY:
            shape.cls.__init__ = _compiled(shape)
        if not named and shape.has_plain_init and len(args) == len(shape.puts):  # most are made like this
            for put, value in zip(shape.puts, args, strict=True):
                put(self, value)
            return
        _fill(self, shape, args, named)

    def _compiled(shape):
        """An `__init__` for this class alone."""
        known, head, body = {"NONE": _NONE}, [], []
        for number, each in enumerate(shape.fields):
            has_default, value = each.default is not _NONE, each.name
            known |= {f"put{number}": each.put, f"default{number}": each.default, f"make{number}": each.default_factory}
            if each.default_factory is not _NONE:
                value = f"make{number}() if {each.name} is NONE else {each.name}" if each.init else f"make{number}()"
            elif not each.init:
                value = f"default{number}" if has_default else ""
            if each.init:
                is_optional = has_default or each.default_factory is not _NONE
                head.append(f"{each.name}=default{number}" if is_optional else each.name)
            if value:
                body.append(f"put{number}(self, {value})")
        if hasattr(shape.cls, "__post_init__"):
            body.append("self.__post_init__()")
        exec(f"def __init__({', '.join(['self', *head])}):\n " + "\n ".join(body or ["pass"]), known)
        return known["__init__"]

    def _fill(self, shape, args, named):
        given = shape.given
        if len(args) > len(given):
            raise TypeError(f"{_name(self)} takes {len(given)} arguments, {len(args)} were given")
        for each, value in zip(given, args, strict=False):
            if each.name in named:
                raise TypeError(f"{_name(self)} got `{each.name}` twice")
            each.put(self, value)
        missing = []
        for each in given[len(args) :]:
            if each.name in named:
                each.put(self, named.pop(each.name))
            elif not _put_default(self, each):
                missing.append(each.name)
        if missing or named:
            wrong = f"needs `{missing[0]}`" if missing else f"has no field `{next(iter(named))}` to give"
            raise TypeError(f"{_name(self)} {wrong}")
        if not shape.has_plain_init:
            for each in shape.fields:
                if not each.init:
                    _put_default(self, each)
            if hasattr(self, "__post_init__"):
                self.__post_init__()

    def _put_default(self, each):
        if each.default is not _NONE:
            each.put(self, each.default)
        elif each.default_factory is not _NONE:
            each.put(self, each.default_factory())
        else:
            return False
        return True

    def _name(self):
        return self.__class__.__qualname__

    def _repr(self):
        shown = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in self.__dataclass_shape__.fields)
        return f"{_name(self)}({shown})"

    def _eq(self, other):
        if other.__class__ is not self.__class__:
            return NotImplemented
        values = self.__dataclass_shape__.values
        return values(self) == values(other)

    def _hash(self):
        return hash(self.__dataclass_shape__.values(self))

    def _refuse(self, name, *_):
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot change field {name!r}")

    def _state(self):
        return self.__dataclass_shape__.values(self)

    def _set_state(self, state):
        for put, value in zip(self.__dataclass_shape__.puts, state, strict=True):
            put(self, value)
