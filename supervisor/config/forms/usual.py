"""Brings the values of keys into the spec and back by their kind."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from supervisor.annotations import Any
from supervisor.config.fields import Fields, Found
from supervisor.config.kinds import (
    Choice,
    Duration,
    Form,
    Key,
    Kind,
    Making,
    Named,
    Number,
    Section,
    Several,
    Shape,
    Showing,
    Signal,
    Size,
    Whole,
)
from supervisor.config.scalars import Word
from supervisor.config.secrets import masked_words
from supervisor.config.shell import syntax_among
from supervisor.core import signals
from supervisor.core.restart import INFINITE


def fields_of(key: Key) -> tuple[str, ...]:
    """The fields of the spec that the key fills."""
    return key.form.fields if key.form is not None else (key.field or key.name,)


def made(section: Section, fields: Fields, making: Making) -> dict[str, Any]:
    """The fields of the spec that the file says, by name."""
    found: dict[str, Any] = {}
    for key in section.keys:
        if key.form is not None:
            found |= key.form.make(fields, making)
        elif (given := fields.get(key.name)) is not None and (value := value_of(key.kind, given)) is not None:
            found[key.field or key.name] = value
    return found


def shown(section: Section, spec: Any, showing: Showing) -> dict[str, Any]:
    """What a spec, or the dataclass of a section, says for the keys of a section, as plain data."""
    data = {key.name: _shown(key, spec, showing) for key in section.keys}
    return {name: value for name, value in data.items() if value not in ("", None)}


def value_of(kind: Kind, given: Any) -> Any:
    """The value for the spec; None where something that it needs could not be read."""
    match kind:
        case Choice(of=of) if of is not None:
            return of(given)
        case Section(of=of) if of is not None:
            return record(kind, given)
        case Several(section=section):
            return tuple(value for each in given if (value := value_of(section, each)) is not None)
        case Named(section=section):
            return {name: value_of(section, found.value) for name, found in given.items()}
        case Section():
            return {name: value_of(_kind(kind, name), given.get(name)) for name in given.found if given.get(name)}
        case Shape.COMMAND:
            return tuple(word.text for word in given)
        case Shape.HEADERS:
            return _texts(given)
    return given.text if isinstance(given, Word) else given


def record(section: Section, fields: Fields, **more: Any) -> Any:
    """An instance of the section's dataclass; None where a key that it needs could not be read."""
    found = {
        key.field or key.name: value_of(key.kind, given)
        for key in section.keys
        if (given := fields.get(key.name)) is not None
    }
    if section.of is None or any(key.required and (key.field or key.name) not in found for key in section.keys):
        return None
    return section.of(**found, **more)


def plain(kind: Kind, value: Any, showing: Showing) -> Any:
    """A value of the spec as mappings, lists, texts and numbers."""
    match kind:
        case Signal():
            return signal_name(value)
        case Whole(endless=word) | Size(endless=word) | Duration(endless=word) if word and value == INFINITE:
            return word
        case Choice():
            return str(value)
        case Shape.COMMAND:
            return command(value, showing)
        case Section(of=of) if of is not None:
            return shown(kind, value, showing)
        case Several(section=section):
            return [plain(section, each, showing) for each in value]
    match value:
        case Path():
            return str(value)
        case Mapping():
            return dict(value)
        case frozenset():
            return sorted(value)
        case tuple():
            return list(value)
    return value


def spread(name: str, section: Section) -> Form:
    """The form of a section whose keys are fields of the spec themselves."""

    def make(fields: Fields, making: Making) -> dict[str, Any]:
        given: Fields | None = fields.get(name)
        return made(section, given, making) if given else {}

    return Form(
        tuple(field for key in section.keys for field in fields_of(key)),
        make,
        lambda spec, showing: shown(section, spec, showing),
    )


def command(words: Sequence[str], showing: Showing) -> list[str] | str:
    """A list; a text with quotes where words look like shell syntax, as that would be a mistake in a list."""
    visible = texts(words, showing)
    if syntax_among(words, words) is None:
        return visible
    from supervisor.config.rewriting import literal

    return literal(visible)


def texts(words: Sequence[str], showing: Showing) -> list[str]:
    """Texts in which secrets are hidden where they stand."""
    return list(words) if showing.reveal else masked_words(words)


def signal_name(number: int) -> str | int:
    """`SIGTERM` for 15; the number itself where it has no name."""
    return signals.name_of(number) or number


def _shown(key: Key, spec: Any, showing: Showing) -> Any:
    if key.form is not None:
        return key.form.show(spec, showing)
    value = getattr(spec, key.field or key.name)
    is_unset = not value and not key.default and isinstance(key.kind, Duration | Size | Whole | Number)
    return None if value is None or is_unset else plain(key.kind, value, showing)


def _kind(section: Section, name: str) -> Kind:
    return next(key.kind for key in section.keys if key.name == name)


def _texts(given: Mapping[str, Found]) -> dict[str, str]:
    return {name: item.value.text for name, item in given.items()}
