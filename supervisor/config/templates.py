"""The files that `render` makes: their templates are read and checked, and so is the place that they are to go to."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from supervisor.config import commands, placeholders
from supervisor.config.fields import Fields
from supervisor.config.report import Report
from supervisor.config.scalars import Word
from supervisor.config.spec import OnChange, RenderedFile
from supervisor.config.suggest import did_you_mean
from supervisor.config.tree import Position
from supervisor.config.values import absolute

# Gives the text and the name to call the file by, None after complaining with a reason and a hint.
Reader = Callable[[Path, Callable[[str, str], None], Report], tuple[str, str] | None]


def rendered(
    stack: Fields, services: Mapping[str, bool], files: Sequence[Path], home: str, read: Reader, report: Report
) -> tuple[RenderedFile, ...]:
    """What `render` of services.yaml, the first of `files`, asks for; `services` tells which of them have ports."""
    found: list[RenderedFile] = []
    folder = files[0].parent
    taken = dict.fromkeys(files, "services.yaml itself")
    for number, fields in enumerate(stack.get("render", ())):
        where = f"render[{number}]"
        on_change = _on_change(fields, services, f"{where}.on_change", report)
        if not fields.get("template") or not fields.get("to"):
            continue  # it has been told that they are missing
        template = absolute(folder, fields.get("template"), home)
        to = absolute(folder, fields.get("to"), home)
        _check_target(to, template, taken, fields.at("to"), f"{where}.to", report)
        taken[to] = f"the file of {where}"
        text = _text(template, fields.at("template"), f"{where}.template", services, read, report)
        found.append(RenderedFile(template, to, text, on_change))
    return tuple(found)


def _text(
    template: Path, place: Position, where: str, services: Mapping[str, bool], read: Reader, report: Report
) -> str:
    def complain(reason: str, hint: str) -> None:
        report.error(place, f"{where}: {report.quote(str(template))}: {reason}", hint)

    content = read(template, complain, report)
    if content is None:
        return ""
    text, shown = content
    for offset, reason, hint in placeholders.mistakes(text, has_port=False, services=services, is_of_a_service=False):
        line = Position(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
        report.error(line, reason, hint, file=shown)
    return text


def _on_change(fields: Fields, services: Mapping[str, bool], where: str, report: Report) -> OnChange | None:
    given: Fields | None = fields.get("on_change")
    if given is None:
        return None
    if "signal" in given.found:
        target: Fields = given.get("signal") or Fields()
        name = target.get("service", "")
        if name and name not in services:
            hint = did_you_mean(name, services) or "services: " + ", ".join(list(services)[:20])
            report.error(target.at("service"), f"{where}.signal: there is no service {report.quote(name)}", hint)
        if "timeout" in given.found:
            report.error(given.found["timeout"].key, f"{where}.timeout: it is for a `command`", "leave it out")
        return OnChange(service=name, signal=target.get("signal", 1))
    words: tuple[Word, ...] = given.get("command", ())
    commands.check_words(words, f"{where}.command", report)
    for word in words:
        for offset, reason, hint in placeholders.mistakes(
            word.text, has_port=False, services=services, is_of_a_service=False
        ):
            report.error(word.at(offset), f"{where}.command: {reason}", hint)
    return OnChange(tuple(word.text for word in words), given.get("timeout", 10.0))


def _check_target(
    to: Path, template: Path, taken: Mapping[Path, str], place: Position, where: str, report: Report
) -> None:
    """What is wrong with the place that a file is to go to, as far as one can see now, for instance 1."""
    path = Path(str(to).replace("{instance}", "1"))
    shown = report.quote(str(path))
    if to == template:
        report.error(place, f"{where}: the template itself would be replaced", "name another file")
    elif to in taken:
        report.error(place, f"{where}: {shown} is {taken[to]}", "name another file")
    elif os.path.islink(path):
        # Through it we would write where nobody has asked us to; in its place the link would be gone.
        report.error(place, f"{where}: {shown} is a symbolic link", "name the file that it points to")
    elif os.path.exists(path) and not os.path.isfile(path):
        report.error(place, f"{where}: {shown} is no regular file", "name a file")
    elif not os.path.isdir(path.parent):
        report.warn(place, f"{where}: there is no directory {report.quote(str(path.parent))} yet")
    elif not os.access(path.parent, os.W_OK | os.X_OK):
        report.warn(place, f"{where}: you may not write in the directory {report.quote(str(path.parent))}")
