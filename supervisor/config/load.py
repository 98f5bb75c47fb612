"""Loads a services.yaml: with templates.py the one place of this folder that looks at files.

Everything that is wrong comes out as one ConfigError with all mistakes; nothing else is ever raised.
"""

import os
import re
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path

from supervisor.config import build, envfile, folders, names, templates, whole
from supervisor.config.checks import Checks
from supervisor.config.extends import Extending, InFile, relocated
from supervisor.config.fields import EnvFile, Fields, Found
from supervisor.config.files import content_of, decoded, outgoing_ports
from supervisor.config.identifiers import filled_in, identifiers, secrets_of
from supervisor.config.interpolate import Interpolation
from supervisor.config.keys.stack import STACK
from supervisor.config.kinds import Making
from supervisor.config.merge import Merger
from supervisor.config.parse import parse
from supervisor.config.report import Report, Unreadable
from supervisor.config.scalars import tidy_name
from supervisor.config.secrets import secret_values
from supervisor.config.spec import ServiceSpec, StackSpec
from supervisor.config.tree import Mapping as MappingNode
from supervisor.config.tree import Node, Position, Scalar
from supervisor.config.validate import Validator
from supervisor.config.values import absolute
from supervisor.dataclass import replace
from supervisor.errors import ConfigError

MOST_VARIABLES = 200_000  # from files, counted for each service


def load(
    file: Path,
    environ: Mapping[str, str],
    *,
    over: Sequence[Path] = (),
    ephemeral: Container[int] | None = None,
    text: str | None = None,
) -> StackSpec:
    """The stack that `file` describes, with the files `over` laid over it; raises ConfigError with every mistake.

    `ephemeral` are the ports that the system gives to outgoing connections; left out, the system is asked.
    `text` is what is about to be written to `file`, taken in its place.
    """
    path, *above = (Path(os.path.abspath(each)) for each in (file, *over))
    report = Report(_shown(path))
    report.over = tuple(map(_shown, above))
    try:
        stack = _load(path, above, environ, outgoing_ports() if ephemeral is None else ephemeral, report, text)
    except Unreadable:
        stack = None
    problems = report.problems
    if stack is None or problems:
        who = "there is" if above else "it has"
        if len(problems) > 1:
            who = f"there are {len(problems)} mistakes" if above else f"it has {len(problems)} mistakes"
        why = who if len(problems) > 1 else f"{who} a mistake"
        from supervisor.config.dialects import formats

        hint = "" if above else formats.hint(report.text, report.tree, path.name)
        raise ConfigError(f"cannot use {names.shown((report.file, *report.over))}", problems, why, hint)
    return stack


def load_asked(asked: Sequence[str], environ: Mapping[str, str]) -> StackSpec:
    """The stack of what `find_asked` gives."""
    file, *over = map(Path, names.files_of(asked))
    return load(file, environ, over=over)


def _load(
    path: Path,
    over: Sequence[Path],
    environ: Mapping[str, str],
    ephemeral: Container[int],
    report: Report,
    text: str | None,
) -> StackSpec | None:
    tree = _tree(_read(path, report) if text is None else text, report)
    if tree is None:
        report.error(Position(1, 1), "the file is empty", "start with `services:`")
        return None
    merger = Merger(report)
    for each in over:
        tree = _with_file(tree, each, merger, report)
    extending = Extending(
        path, report, lambda other, node, where: _read_other(other, node, where, report), merger,
        {_shown(each): each for each in over},
    )  # fmt: skip
    tree = extending.tree(tree)
    if report.has_tags:
        tree = merger.settle(tree)
    lookup = _lookup(environ, path.parent, report)
    filled = Interpolation(lookup, report).tree(tree)
    report.names = identifiers(filled, path.absolute())
    stack = Validator(report).section(filled, STACK, "")
    if not isinstance(tree, MappingNode):
        return None
    services: dict[str, Found] = stack.get("services", {})
    files = _EnvFiles(path.parent, environ.get("HOME", ""), report)
    specs: dict[str, ServiceSpec] = {}
    for name, found in services.items():
        fields: Fields = found.value
        where = f"services.{name}"
        environment = build.variables(fields, files.read, lookup, report, where)
        making = Making(path.parent, environ.get("HOME", ""), environment)
        specs[name] = build.service(name, fields, found.key, making)
        for what, secret in secrets_of(specs[name]):
            report.hide((secret,), fields.at(what.partition(".")[0]), f"{where}.{what}")
        folders.check(specs[name], fields, where, report)
    Checks(services, report, ephemeral).run()
    whole.check(stack, services, report)
    short = report.masked_where_they_stand()
    return build.stack(
        stack,
        Making(path.parent, environ.get("HOME", "")),
        name=stack.get("name") or tidy_name(path.parent.name) or "stack",
        file=path,
        over=tuple(over),
        others=extending.others,
        services=specs,
        render=templates.rendered(
            stack,
            {name: "pool" in found.value.found for name, found in services.items()},
            (path, *over),
            environ.get("HOME", ""),
            _read_template,
            report,
        ),
        secrets=report.secrets,
        filled={path: found for each in services.items() for path, found in filled_in(*each, short)} if short else {},
        warnings=report.warnings,
        notes=report.notes,
    )


def _tree(text: str, report: Report) -> Node | None:
    """The tree of the first file; of one that was written for another program, one mistake says so."""
    report.text = text
    try:
        report.tree = parse(text, report)
    except Unreadable:
        from supervisor.config.dialects import formats

        if program := formats.of_text(text)[0]:
            report.only(Position(1, 1), f"this is a file of {program}, not a services.yaml")
        raise
    return report.tree


def _read(path: Path, report: Report) -> str:
    """The text of the file, or Unreadable after saying why."""
    content = content_of(path, lambda reason, hint: report.error(Position(), reason, hint))
    if content is None:
        raise Unreadable
    text, mistake = decoded(content)
    if mistake:
        place, reason, hint = mistake
        report.error(place, reason, hint)
        raise Unreadable
    return text


def _with_file(tree: Node, path: Path, merger: Merger, report: Report) -> Node:
    """The tree with another file laid over it; raises Unreadable after saying why that one cannot be read."""
    shown = _shown(path)
    other = _tree_of(path, lambda reason, hint: report.error(Position(), reason, hint, file=shown), report)
    if other is None:
        if report.problems:
            raise Unreadable
        report.warn(Position(1, 1, shown), "the file is empty, so it changes nothing")
        return tree
    if isinstance(tree, MappingNode) and isinstance(other, MappingNode):
        return replace(merger.merge(tree, other, STACK), place=tree.place)
    return other if isinstance(tree, MappingNode) else tree  # the mistake will be told


def _read_other(path: Path, node: Scalar, where: str, report: Report) -> Node | None:
    """The tree of another file, which `node` names; None after saying why there is none."""
    what = f"{where}: {report.quote(node.text)}"
    return _tree_of(path, lambda reason, hint: report.error(node.place, f"{what}: {reason}", hint), report)


def _tree_of(path: Path, complain: Callable[[str, str], None], report: Report) -> Node | None:
    """The tree of a file beside the first; None after saying why there is none, or for an empty one."""
    shown = _shown(path)
    content = content_of(path, complain)
    if content is None:
        return None
    text, mistake = decoded(content)
    if mistake:
        report.error(*mistake, file=shown)
        return None
    inside = InFile(report, shown)
    try:
        tree = parse(text, inside)
    except Unreadable:
        return None
    report.has_tags |= inside.has_tags
    return None if tree is None else relocated(tree, shown)


def _lookup(environ: Mapping[str, str], directory: Path, report: Report) -> Callable[[str], str | None]:
    """Variables for the file: the environment first, then the `.env` beside it, read when first needed."""
    from_file: dict[str, str] | None = None

    def lookup(name: str) -> str | None:
        nonlocal from_file
        if name in environ:
            return environ[name]
        if from_file is None:
            path = directory / ".env"
            from_file = _variables(path, report) if os.path.exists(path) else {}
        return from_file.get(name)

    return lookup


def _variables(path: Path, report: Report) -> dict[str, str]:
    shown = _shown(path)
    content = content_of(path, lambda reason, hint: report.error(Position(), reason, hint, file=shown))
    if content is None:
        return {}
    text, mistake = decoded(content)
    if mistake:
        report.error(*mistake, file=shown)
        return {}
    variables, faults = envfile.parse(text)
    for fault in faults:
        report.error(Position(fault.line, 1), fault.reason, "", file=shown)
    return {variable.name: variable.value for variable in variables}


def _read_template(path: Path, complain: Callable[[str, str], None], report: Report) -> tuple[str, str] | None:
    """The text of a template and the name to call it by; None after saying why not."""
    content = content_of(path, complain)
    if content is None:
        return None
    text, mistake = decoded(content)
    if mistake:
        report.error(*mistake, file=_shown(path))
        return None
    return text, _shown(path)


class _EnvFiles:
    """Reads each env_file once, however many services share it."""

    def __init__(self, directory: Path, home: str, report: Report) -> None:
        self._directory = directory
        self._home = home
        self._report = report
        self._known: dict[Path, dict[str, str]] = {}
        self._given = 0

    def read(self, file: EnvFile) -> dict[str, str]:
        path = absolute(self._directory, file.path, self._home)
        if path not in self._known:
            self._known[path] = self._read(path, file)
        self._given += len(self._known[path])
        if self._given > MOST_VARIABLES:
            self._report.error(file.place, f"{file.where}: more than {MOST_VARIABLES} variables in all services")
            raise Unreadable
        return self._known[path]

    def _read(self, path: Path, file: EnvFile) -> dict[str, str]:
        if not os.path.lexists(path):
            if file.required:
                hint = f"create it, or write `{{path: {file.path}, required: false}}`"
                if len(several := [each for each in re.split(r"[,\s]+", file.path) if each]) > 1:
                    hint = f"for several files write `[{', '.join(several)}]`"
                reason = f"{file.where}: there is no file {self._report.quote(str(path))}"
                self._report.error(file.place, reason, hint)
            return {}
        variables = _variables(path, self._report)
        for name, value in variables.items():
            self._report.hide(secret_values(name, value), Position(1, 1, _shown(path)), f"`{name}`")
        return variables


def _shown(path: Path) -> str:
    """The path as short as it can be said from here."""
    try:
        relative = os.path.relpath(path)
    except (OSError, ValueError):
        return str(path)
    return str(path) if relative.startswith("..") else relative
