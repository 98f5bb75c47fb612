"""Files of compose and process-compose that are laid over each other, and what extends what in them, as one mapping."""

import os.path
from collections.abc import Callable, Sequence
from typing import Any

from supervisor.config.foreign import Tagged, from_yaml
from supervisor.convert.draft import Left, Outcome
from supervisor.convert.values import cleaned, mapping, pairs, texts
from supervisor.errors import PortsupError

SERVICES = {"compose": "services", "process-compose": "processes"}
_REPLACED = ("command", "entrypoint", "test")  # lists that compose does not append to
_DEEPEST = 30  # files that extend files

Source = tuple[str, str]  # the name of a file, and its text
Read = Callable[[str], str]  # the text of another file; raises PortsupError


class Layers:
    """Puts the files of one kind together; `left` has what could not be followed."""

    def __init__(self, kind: str, read: Read) -> None:
        self.left: list[Left] = []
        self._key = SERVICES[kind]
        self._is_compose = kind == "compose"
        self._read = read

    def whole(self, sources: Sequence[Source]) -> dict[str, Any]:
        """What the files come to, the later ones over the first."""
        data: dict[str, Any] = {}
        for name, text in sources:
            data = self.merge(data, self._file(name, text, ()))
        return mapping(_without_tags(data))

    def merge(self, base: Any, own: Any, key: str = "") -> Any:
        """`base` with what `own` says otherwise, as the program of these files merges."""
        if isinstance(own, Tagged):
            return own.value
        if key == "environment" and isinstance(base, dict | list) and isinstance(own, dict | list):
            return {**dict(pairs(base)), **dict(pairs(own))}
        if key == "depends_on" and base and own:
            base, own = _needed(base), _needed(own)
        if isinstance(base, dict) and isinstance(own, dict):
            merged = {name: value for name, value in base.items() if not _is_reset(own.get(name))}
            for name, value in own.items():
                if not _is_reset(value):
                    merged[name] = self.merge(base[name], value, str(name)) if name in merged else value
            return merged
        if self._is_compose and key == "env_file" and base and own:
            base, own = _listed(base), _listed(own)
        if self._is_compose and isinstance(base, list) and isinstance(own, list) and key not in _REPLACED:
            return [*base, *(item for item in own if item not in base)]
        return own

    def _file(self, name: str, text: str, chain: tuple[str, ...]) -> dict[str, Any]:
        data = mapping(cleaned(from_yaml(text, name)))
        if self._is_compose:
            services = mapping(data.get(self._key))
            if services:
                data[self._key] = {each: self._service(services, each, name, ()) for each in services}
            return data
        if not isinstance(extends := data.pop("extends", None), str) or not extends:
            return data
        other = os.path.normpath(os.path.join(os.path.dirname(name), extends))
        base = self._other(other, f"`extends: {extends}`", "", (*chain, os.path.normpath(name)))
        return data if base is None else dict(self.merge(base, data))

    def _service(self, services: dict[str, Any], name: str, file: str, chain: tuple[tuple[str, str], ...]) -> Any:
        given = services[name]
        told = given.get("extends") if isinstance(given, dict) else None
        if not told or isinstance(told, Tagged):
            return given
        own = {key: value for key, value in given.items() if key != "extends"}
        wanted = mapping(told) if isinstance(told, dict) else {"service": told}
        other, service = str(wanted.get("file") or ""), str(wanted.get("service") or name)
        what, path, base = f"`extends` of `{name}`", file, services
        if (file, name) in chain or len(chain) >= _DEEPEST:
            self.left.append(Left(what, "it goes round in a circle", "remove one of the links"))
            return own
        if other:
            path = os.path.normpath(os.path.join(os.path.dirname(file), other))
            found = self._other(path, what, f"copy the keys of `{service}` here", ())
            if found is None:
                return own
            base = mapping(found.get(self._key))
        if service not in base:
            self.left.append(Left(what, f"there is no `{service}` in `{path}`", "copy its keys here"))
            return own
        return self.merge(self._service(base, service, path, (*chain, (file, name))), own)

    def _other(self, path: str, what: str, remedy: str, chain: tuple[str, ...]) -> dict[str, Any] | None:
        """Another file, or None after noting why it is not followed; of compose its services as they are written."""
        if path in chain or len(chain) >= _DEEPEST:
            self.left.append(Left(what, "it goes round in a circle", "remove one of the links"))
            return None
        try:
            text = self._read(path)
            found = mapping(cleaned(from_yaml(text, path))) if self._is_compose else self._file(path, text, chain)
        except PortsupError as error:
            self.left.append(Left(what, str(error), remedy or "name the files: `--from ONE --from OTHER`"))
            return None
        if os.path.dirname(path):
            why = "its paths are kept as they are written there"
            self.left.append(Left(f"the folder of `{path}`", why, "see that they lead somewhere from here"))
        return found


def begin(data: Any, key: str, whose: str) -> tuple[dict[str, Any], dict[str, Any], Outcome]:
    """A file, what it has below `key`, and an outcome with its name; raises PortsupError where it has nothing."""
    top = mapping(data)
    services = mapping(top.get(key))
    if not services:
        raise PortsupError(f"cannot convert {whose}", f"it has no `{key}`")
    return top, services, Outcome(name=str(top.get("name") or ""))


def _is_reset(value: Any) -> bool:
    return isinstance(value, Tagged) and value.tag == "!reset"


def _needed(value: Any) -> dict[str, Any]:
    return mapping(value) if isinstance(value, dict) else {name: {} for name in texts(value)}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _without_tags(value: Any) -> Any:
    match value:
        case Tagged():
            return None if value.tag == "!reset" else _without_tags(value.value)
        case dict():
            return {key: _without_tags(item) for key, item in value.items() if not _is_reset(item)}
        case list():
            return [_without_tags(item) for item in value]
    return value
