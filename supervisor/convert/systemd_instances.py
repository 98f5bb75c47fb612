"""The instances of a template, `api@1.service`: replicas of one service where only their number tells them apart."""

import glob
import os.path
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from supervisor.convert.around import Around
from supervisor.convert.copies import share
from supervisor.convert.draft import Draft, Filled, Left

NUMBER = "\ue00f"  # stands for the instance
_MAY_TELL = ("command", "environment", "description")  # what may hold the number


def template_of(path: str) -> str:
    """`api` for an instance or template of `api@.service`, "" for other units."""
    stem, at, _ = os.path.basename(path).removesuffix(".service").partition("@")
    return stem if at else ""


def instance_of(path: str) -> str:
    """The 1 of `api@1.service`; empty for a template."""
    return os.path.basename(path).removesuffix(".service").partition("@")[2]


def expanded(units: Sequence[tuple[str, str]], around: Around) -> list[tuple[str, str]]:
    """The units as paths and texts, with the instances in place of a template that lie next to it or are enabled."""
    made: list[tuple[str, str]] = []
    given = {template_of(path) for path, _ in units if instance_of(path)}
    for path, text in units:
        stem = template_of(path)
        if not stem or instance_of(path) or stem in given:
            if instance_of(path) or not stem:
                made.append((path, text))
            continue
        pattern = f"{glob.escape(stem)}@?*.service"
        beside = [each for folder in ("", "*.wants/", "*.requires/") for each in around.found(f"{folder}{pattern}")]
        names = sorted({os.path.basename(each) for each in beside}, key=_natural)
        folder = os.path.dirname(path)
        made += [(os.path.join(folder, each), text) for each in names] or [(path, text)]
    return made


def merged(alike: Sequence[Draft], instances: Sequence[str], general: Draft, stem: str) -> Draft | None:
    """One service in place of the instances of a template; None if they are not as alike as replicas are.

    `general` is the template with NUMBER as its instance.
    """
    numbered = {key for key, value in general.fields.items() if _is_in(value)}
    if numbered - set(_MAY_TELL) or any(each.ports != general.ports for each in alike):
        return None
    tells = numbered - {"description"}
    command = general.fields["command"]
    if "command" in numbered and (_is_script(command) or not isinstance(command, list)):
        return None  # it stands between quotes of a shell
    if tells and sorted(instances) != sorted(str(number + 1) for number in range(len(instances))):
        return None
    if not share(general, len(alike)):
        return None
    general.name = stem
    if "description" in numbered:
        general.fields["description"] = " ".join(general.fields["description"].replace(NUMBER, "").split()) or stem
    if tells:
        _number(general)
    general.notes = [each.replace(f"@{NUMBER}", "") for each in general.notes]
    general.left = [
        Left(left.what.replace(f"@{NUMBER}", ""), left.why, left.remedy.replace(f"@{NUMBER}", ""), left.source)
        for left in general.left
    ]
    shown = ", ".join(f"`{stem}@{each}`" for each in instances[:3]) + (" …" if len(instances) > 3 else "")
    told = "; each finds its number in `PORTSUP_REPLICA`" if tells else ""
    general.notes.insert(0, f"{shown} are replicas of one service{told}")
    return general


def _number(draft: Draft) -> None:
    """Has a shell put the number into the words and the variables that have it."""
    environment: dict[str, Any] = draft.fields.get("environment", {})
    numbered = {name: value for name, value in environment.items() if _is_in(value)}
    command = draft.fields["command"]
    script = command[2] if _is_script(command) else f"exec {' '.join(map(_for_shell, command))}"
    sets = " ".join(f"{name}={_for_shell(value)}" for name, value in numbered.items())
    if sets and isinstance(script, Filled):
        script = Filled(f"export {sets.replace('$', '$$')}; {script}")
    elif sets:
        script = f"export {sets}; {script}"
    draft.fields["command"] = ["sh", "-c", script]
    draft.fields["environment"] = {name: value for name, value in environment.items() if name not in numbered}
    if not draft.fields["environment"]:
        del draft.fields["environment"]


def _is_in(value: Any) -> bool:
    """Whether the number is somewhere in it."""
    if isinstance(value, Mapping):
        return any(map(_is_in, (*value.keys(), *value.values())))
    return NUMBER in value if isinstance(value, str) else isinstance(value, list) and any(map(_is_in, value))


def _is_script(command: Any) -> bool:
    return isinstance(command, list) and command[:2] == ["sh", "-c"] and len(command) == 3


def _for_shell(word: str) -> str:
    """A word in which a shell fills in the number and the port."""
    is_filled = isinstance(word, Filled) and "{port}" in word
    if not is_filled and NUMBER not in word:
        return shlex.quote(word)
    escaped = re.sub(r'(["`\\$])', r"\\\1", word.replace("$$", "$") if is_filled else word)
    port = escaped.replace("{port}", "$PORT") if is_filled else escaped
    return f'"{port.replace(NUMBER, "${PORTSUP_REPLICA}")}"'


def renamed(drafts: Sequence[Draft], names: Mapping[str, str]) -> None:
    """Has whoever depends on an instance depend on the service that it is part of; `names` are those of both."""
    for draft in drafts:
        needed = draft.fields.get("depends_on")
        if needed and needed.keys() & names.keys():
            made = {names.get(each, each): how for each, how in needed.items()}
            made.pop(draft.name, None)
            draft.fields["depends_on"] = made
            if not made:
                del draft.fields["depends_on"]


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(each), "") if each.isdigit() else (0, each) for each in re.split(r"(\d+)", name)]
