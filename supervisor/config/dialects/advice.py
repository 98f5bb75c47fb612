"""Looks up what to write for a key that a section does not know."""

import functools
import re
from collections.abc import Iterator, Sequence

from supervisor.config.dialects import writing
from supervisor.config.dialects.programs import command_of
from supervisor.config.dialects.scalars import value_hint
from supervisor.config.dialects.table import TABLES
from supervisor.config.dialects.writing import Beside
from supervisor.config.keys.service import SERVICE
from supervisor.config.keys.stack import STACK
from supervisor.config.keys.start import HEALTHCHECK
from supervisor.config.kinds import Key, Section, Shape
from supervisor.config.shell import syntax_in
from supervisor.config.suggest import closest, is_one_slip
from supervisor.config.tree import Entry, Scalar
from supervisor.config.tree import Mapping as MappingNode
from supervisor.dataclass import dataclass

_OF_A_SERVICE = frozenset((
    "command", "cmd", "script", "image", "build", "entrypoint", "execstart", "shell", "extends", "run", "exec",
    "servecmd", "startcommand",
))  # fmt: skip
_LIMITS = frozenset(("maxrestarts", "startretries", "startlimitburst", "maxretries", "maxattempts"))
_CHECK = re.compile(r"(?:http|tcp|exec|log|notify|listening|started):")
_ONE_MAPPING = re.compile(r"write `(\w+): \{([^`]*)\}`")


@dataclass(frozen=True, slots=True)
class Advice:
    """What to write for an unknown key; `meant` is the key of ours that it stands for, if any."""

    hint: str
    meant: str = ""
    is_read: bool = True  # its value is one of ours, and whatever is wrong with it is told as well


def advice(entry: Entry, section: Section, whole: MappingNode) -> Advice:
    """What to do about a key that a section does not know."""
    name = folded(entry.key.text)
    beside = Beside(entry.key.text, {folded(each.key.text): each.value for each in whole})
    table = next((table for known, table in TABLES if known is section), {})
    is_ours_too = any(folded(key.name) == name for key in section.keys)
    if name in table and not (is_ours_too and isinstance(table[name], str)):
        say = table[name]
        hint = say if isinstance(say, str) else say(entry.value, beside)
        meant = next((key.name for key in section.keys if f"`{key.name}:" in hint), "")
        if section is HEALTHCHECK and hint.endswith("with it"):
            meant = "exec"  # so that nobody asks for one
        is_ours = meant == "services" and not writing.text_of(entry.value)
        is_ours = is_ours or hint == writing.in_place_of(meant, entry.key.text)
        return Advice(hint, meant, is_ours)
    alias = next((key.name for key in section.keys if name in _names(key)), "")
    if alias:
        text = writing.text_of(entry.value)
        if text and syntax_in(text) is not None and "command" in _kinds_of(section, alias):
            return Advice(f"write `{alias}: {command_of(text)}`", alias, is_read=False)
        return Advice(writing.renamed(alias)(entry.value, beside), alias)
    if section is STACK and is_service(entry):
        return Advice("write it below `services:`, with two more spaces before each of its lines", "services", False)
    is_own = any(entry.key.text == key.name for key in SERVICE.keys)
    if (section is not STACK or is_own) and (elsewhere := _elsewhere(entry, section, beside)):
        return Advice(elsewhere)
    near = closest(entry.key.text, (key.name for key in section.keys), 0.72)
    if near and is_one_slip(entry.key.text, near):
        return Advice(f"did you mean `{near}`?", near)
    has_services = "services" in beside.values
    if section is STACK and {"apiversion", "kind"} <= beside.values.keys():
        return Advice("leave it out: it is of Kubernetes")
    if section is STACK and not has_services and (service := value_hint(f"services.{entry.key.text}", entry.value)):
        return Advice(service.replace("write `", "write `services: {", 1)[:-1] + "}`", "services", is_read=False)
    if elsewhere := _elsewhere(entry, section, beside):
        return Advice(elsewhere)
    if near:
        return Advice(f"did you mean `{near}`?", near, is_read=False)
    return Advice("known keys: " + ", ".join(key.name for key in section.keys))


def merged(unknown: Sequence[tuple[Scalar, str]]) -> Iterator[tuple[Scalar, str]]:
    """The keys with their hints; what several of them say to write into one mapping is said once, by the first."""
    inside: dict[str, list[str]] = {}
    first: dict[str, Scalar] = {}
    checks: dict[str, Scalar] = {}
    for key, hint in unknown:
        if found := _ONE_MAPPING.fullmatch(hint):
            is_check = found[1] in ("ready", "healthcheck") and _CHECK.match(found[2])
            if is_check and checks.setdefault(found[1], key) is not key:
                continue
            inside.setdefault(found[1], []).append(found[2])
            first.setdefault(found[1], key)
    for key, hint in unknown:
        found = _ONE_MAPPING.fullmatch(hint)
        if found and found[1] in checks and _CHECK.match(found[2]) and checks[found[1]] is not key:
            hint = f"leave it out: `{found[1]}` has one check, that of line {checks[found[1]].place.line}"
        elif found and first[found[1]] is key:
            hint = f"write `{found[1]}: {{{', '.join(dict.fromkeys(inside[found[1]]))}}}`"
        elif found:
            hint = f"it belongs into the same `{found[1]}`, see line {first[found[1]].place.line}"
        yield key, hint


def without_limit(hint: str, whole: MappingNode) -> str:
    """The hint for a `restart` without its number of restarts, where another key of the service says it."""
    own = {name for each in whole for name in (folded(each.key.text), *_inner(each, "restartpolicy"))}
    return hint if own.isdisjoint(_LIMITS) else re.sub(r" and `restart_policy: \{max_restarts: \d+\}`", "", hint)


def _inner(entry: Entry, name: str) -> set[str]:
    is_it = folded(entry.key.text) == name and isinstance(entry.value, MappingNode)
    return {folded(each.key.text) for each in entry.value} if is_it and isinstance(entry.value, MappingNode) else set()


@functools.lru_cache(4096)  # asked for all keys of a mapping at each unknown one
def folded(name: str) -> str:
    """A key without what differs from tool to tool."""
    return name.lower().replace("_", "").replace("-", "").replace(".", "").replace(" ", "").rstrip("=")


def is_service(entry: Entry) -> bool:
    """Whether a mapping at the top of a file is a service."""
    names = {folded(each.key.text) for each in entry.value} if isinstance(entry.value, MappingNode) else set()
    return not names.isdisjoint(_OF_A_SERVICE)


def _kinds_of(section: Section, name: str) -> str:
    """How a key of a section is short for a command, if it is."""
    kind = next(key.kind for key in section.keys if key.name == name)
    return str(kind) if isinstance(kind, Shape) else kind.short if isinstance(kind, Section) else ""


def _names(key: Key) -> set[str]:
    return {folded(name) for name in (key.name, *key.also)}


def _elsewhere(entry: Entry, section: Section, beside: Beside) -> str:
    """For a key that is ours and stands on the wrong level: where it belongs."""
    name = folded(entry.key.text)
    if section is SERVICE:
        for outer in SERVICE.keys:
            inner = outer.kind if isinstance(outer.kind, Section) else None
            if outer.name not in ("stop_command", "stop_signal") and inner is not None:
                for key in inner.keys:
                    if name in _names(key):
                        return writing.inside(outer.name, key.name)(entry.value, beside)
        return ""
    if own := next((key.name for key in SERVICE.keys if name in _names(key)), ""):
        text = writing.pair(own, entry.value)
        if section is STACK:
            return f"it is for a service: `services: {{NAME: {{{text}}}}}`"
        return f"it is for the service itself: write `{text}` one level up"
    return ""
