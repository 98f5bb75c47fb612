"""Files of compose and process-compose that are laid over each other, and what extends what in them, as one mapping."""

import os.path
from collections.abc import Sequence
from typing import Any

from supervisor.config.foreign import Tagged, from_yaml
from supervisor.convert.around import ALONE, Around
from supervisor.convert.draft import Left, Outcome
from supervisor.convert.rebase import rebased
from supervisor.convert.values import cleaned, mapping, pairs, texts
from supervisor.errors import PortsupError

SERVICES = {"compose": "services", "process-compose": "processes"}
_REPLACED = ("command", "entrypoint", "test")  # lists that compose does not append to
_DEEPEST = 30  # files that extend files

Source = tuple[str, str]  # the name of a file, and its text


class Layers:
    """Puts the files of one kind together; `left` has what could not be followed."""

    def __init__(self, kind: str, around: Around = ALONE) -> None:
        self.left: list[Left] = []
        self._key = SERVICES[kind]
        self._is_compose = kind == "compose"
        self._around = around

    def whole(self, sources: Sequence[Source]) -> dict[str, Any]:
        """What the files come to, the later ones over the first."""
        data: dict[str, Any] = {}
        for name, text in sources:
            data = self.merge(data, self._file(name, text, ()))
        found = mapping(_without_tags(data))
        if not self._is_compose and (processes := mapping(found.get(self._key))):
            found[self._key] = {each: self._process(processes, each, ()) for each in processes}
        return found

    def _process(self, processes: dict[str, Any], name: str, chain: tuple[str, ...]) -> Any:
        """A process of process-compose with what it extends."""
        given = processes[name]
        told = given.get("extends") if isinstance(given, dict) else None
        if not isinstance(told, str) or not told:
            return given
        own = {key: value for key, value in given.items() if key != "extends"}
        if told not in processes or told in (*chain, name):
            why = "it goes round in a circle" if told in processes else f"there is no `{told}`"
            self.left.append(Left(f"`extends` of `{name}`", why, f"copy the keys of `{told}` here"))
            return own
        return self.merge(self._process(processes, told, (*chain, name)), own)

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
            return self._with_included(data, name, (*chain, os.path.normpath(name)))
        if not isinstance(extends := data.pop("extends", None), str) or not extends:
            return data
        other = os.path.normpath(os.path.join(os.path.dirname(name), extends))
        base = self._other(other, f"`extends: {extends}`", "", (*chain, os.path.normpath(name)))
        if base is None:
            return data
        folder = os.path.dirname(other)  # where the processes of the other file run, unless they say otherwise
        for process in mapping(base.get(self._key)).values() if folder else ():
            if isinstance(process, dict):
                process["working_dir"] = os.path.normpath(os.path.join(folder, str(process.get("working_dir") or "")))
        return dict(self.merge(base, data))

    def _with_included(self, data: dict[str, Any], name: str, chain: tuple[str, ...]) -> dict[str, Any]:
        """A compose file over those that it includes, whose paths are relative to themselves."""
        included = _listed(data.pop("include", None) or [])
        base: dict[str, Any] = {}
        for item in included:
            told = mapping(item) if isinstance(item, dict) else {"path": item}
            group: dict[str, Any] = {}
            for path in texts(told.get("path")):
                other = os.path.normpath(os.path.join(os.path.dirname(name), path))
                found = self._other(other, f"`include: {path}`", f"name it too: `--from {path}`", chain)
                if found is not None:
                    group = self.merge(group, found)
            folder = str(told.get("project_directory") or os.path.dirname((texts(told.get("path")) or [""])[0]))
            services = mapping(group.get(self._key))
            group[self._key] = {each: rebased(mapping(item), folder) for each, item in services.items()}
            base = self.merge(base, {key: value for key, value in group.items() if key != "name"})
        return self.merge(base, data) if base else data

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
            base = {
                each: rebased(mapping(item), os.path.dirname(other))
                for each, item in mapping(found.get(self._key)).items()
            }
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
            text = self._around.read(path)
            if self._is_compose and not chain:
                return mapping(cleaned(from_yaml(text, path)))
            return self._file(path, text, chain)
        except PortsupError as error:
            self.left.append(Left(what, str(error), remedy or "name the files: `--from ONE --from OTHER`"))
            return None


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
