"""Which program a file was written for, by its name and by what is in it."""

import os.path
import re
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any

from supervisor.config.foreign import from_yaml
from supervisor.convert import (
    circus,
    compose,
    mcp_json,
    mprocs,
    nameless,
    package,
    pitchfork,
    pm2,
    process_compose,
    procfile,
    supervisord,
    systemd,
    unknown,
)
from supervisor.convert.around import ALONE, Around
from supervisor.convert.draft import Outcome
from supervisor.convert.layers import Layers, Source
from supervisor.convert.values import cleaned
from supervisor.errors import PortsupError, UsageError

KINDS = (
    "procfile", "supervisord", "compose", "process-compose", "pm2", "mprocs", "systemd", "pitchfork", "package.json",
    "circus", "mcp.json",
)  # fmt: skip
_OF_YAML: dict[str, Callable[[Any, Around], Outcome]] = {
    "compose": compose.convert,
    "process-compose": process_compose.convert,
    "mprocs": mprocs.convert,
}
_OF_TEXT: dict[str, Callable[[str, Around], Outcome]] = {
    "procfile": procfile.convert,
    "supervisord": supervisord.convert,
    "pm2": pm2.convert,
    "systemd": systemd.convert,
    "pitchfork": pitchfork.convert,
    "package.json": package.convert,
    "circus": circus.convert,
    "mcp.json": mcp_json.convert,
}
# Their relative paths are those of the directory of the file; of the others, of the one where the program is started.
IN_THEIR_FOLDER = ("procfile", "compose", "package.json", "pitchfork", "systemd")
_NAMES = (
    (r"procfile([.-].*)?|.*[.-]procfile", "procfile"),
    (r"circus.*\.(ini|conf)", "circus"),
    (r"supervisord?(ctl)?([.-].*)?\.conf|.*\.ini", "supervisord"),
    (r"\.?process-compose.*\.ya?ml", "process-compose"),
    (r"(docker-)?compose.*\.ya?ml|.*[.-]compose\.ya?ml", "compose"),
    (r"(ecosystem|pm2|process|processes).*\.json|(ecosystem|pm2).*\.ya?ml", "pm2"),
    (r"mprocs.*\.(ya?ml|json)", "mprocs"),
    (r"pitchfork(\.local)?\.toml", "pitchfork"),
    (r"package\.json", "package.json"),
    (r"\.?mcp(_settings|_config)?\.json|claude_desktop_config\.json|opencode\.jsonc?", "mcp.json"),
    (r".*\.service", "systemd"),
)
_CONTENTS = (
    (r"^\s*\[(watcher:[^\]]+|circus)\]", "circus"),
    (r"^\s*\[(program:|fcgi-program:|supervisord\])", "supervisord"),
    (r"^\s*\[Service\]\s*$", "systemd"),
    (r"^\s*\[daemons\.", "pitchfork"),
    (r"\A(\s*//[^\n]*\n)*\s*[\[{][\s\S]*\b[\"']?(script|exec_mode)[\"']?\s*:", "pm2"),
    (r"\A\s*[{/][\s\S]*\"(mcpServers|context_servers)\"\s*:", "mcp.json"),
    (r"\A\s*[{/][\s\S]*\"mcp\"\s*:\s*\{\s*\"(servers|inputs)\"\s*:", "mcp.json"),
    (r"^\s*\[mcp_servers\.", "mcp.json"),
    (r"\A\s*\{[\s\S]*\"scripts\"\s*:", "package.json"),
    (r"^apps\s*:\s*(\n|\[)", "pm2"),
    (r"^[\"']?processes[\"']?\s*:", "process-compose"),
    (r"^[\"']?procs[\"']?\s*:", "mprocs"),
    (r"^[\"']?services[\"']?\s*:", "compose"),
)
_OF_CIRCUS = re.compile(r"^\s*\[(circus|watcher:[^\]]+)\]", re.MULTILINE)
_PROCESS = re.compile(r"[A-Za-z0-9_.-]+:[ \t]*\S.*")
_STRUCTURED = re.compile(r".*\.(ya?ml|json|toml|ini|conf|cfg|xml|md|txt\.ya?ml)")


def kind_of(name: str, text: str) -> str:
    """The kind of a file; raises UsageError where neither name nor content tells, or where it is none of these."""
    short = PurePath(name).name.lower()
    if re.fullmatch(r".*\.(c|m)?[jt]s", short):
        if pm2.exports_plainly(text):
            return "pm2"
        hint = f"let node run it, as pm2 does: `portsup init --from {name} --evaluate`"
        why = "it is a program in JavaScript, which portsup does not run unasked"
        raise UsageError(f"cannot convert `{name}`", why, hint)
    for pattern, kind in _NAMES:
        if kind == "supervisord" and (_OF_CIRCUS.search(text) or unknown.told_apart("", text)):
            continue
        if re.fullmatch(pattern, short):
            return kind
    by_content = next((kind for pattern, kind in _CONTENTS if re.search(pattern, text[:100_000], re.MULTILINE)), "")
    if by_content in ("circus", "supervisord", "systemd", "pitchfork", "pm2", "mcp.json"):
        return by_content
    if known := unknown.told_apart(short, text):
        raise UsageError(f"cannot convert `{name}`", f"it is {known.what}, which `init` does not convert", known.remedy)
    if by_content:
        return by_content
    if re.search(r"^[\"']?include[\"']?\s*:", text, re.MULTILINE) and short.endswith((".yml", ".yaml")):
        return "compose"
    if not _STRUCTURED.fullmatch(short) and _is_procfile(text):
        return "procfile"
    if not text.strip():
        raise UsageError(f"cannot convert `{name}`", "it is empty", "`portsup init` looks at the directory instead")
    hint = f"say what it is: `--kind {'|'.join(KINDS)}`"
    raise UsageError(f"cannot convert `{name}`", "neither its name nor its content says which program it is for", hint)


def convert(kind: str, name: str, text: str, over: Sequence[Source] = (), around: Around = ALONE) -> Outcome:
    """What the file comes to; raises PortsupError where it cannot be read, or nothing in it can be carried over.

    `over` are files that are laid over it, or added to it; `around` tells of the other files.
    """
    text = cleaned(text)
    folder = os.path.dirname(name)
    beside = around.within(folder) if folder else around
    try:
        outcome = _converted(kind, name, text, over, around, beside)
    except RecursionError as error:
        raise PortsupError(f"cannot read `{name}`", "it contains itself, or is nested too deeply") from error
    nameless.settle(outcome)
    if not outcome.services:
        told = "; ".join(map(str, outcome.left[:5]))
        why = told.replace(", as in the block below", "") or "there is no service in it"  # nothing is written
        more = f"; and {len(outcome.left) - 5} more" if len(outcome.left) > 5 else ""
        hint = "`portsup init` looks at the directory instead"
        raise PortsupError(f"cannot make a stack of `{name}`", why + more, hint)
    return outcome


def _converted(kind: str, name: str, text: str, over: Sequence[Source], around: Around, beside: Around) -> Outcome:
    more = [(os.path.relpath(path, os.path.dirname(name) or "."), cleaned(each)) for path, each in over]
    if kind in ("compose", "process-compose"):
        layers = Layers(kind, around)
        data = layers.whole([(name, text), *over])
        outcome = _OF_YAML[kind](data, beside if kind == "compose" else around)
        outcome.left += layers.left
        return outcome
    if kind == "supervisord":
        return supervisord.convert(text, around, [(path, cleaned(each)) for path, each in over], os.path.dirname(name))
    if kind == "circus":
        return circus.convert(text, beside, more)
    if kind == "systemd":
        return systemd.convert(text, beside, name, more)
    if over:
        hint = "name one file; those of compose, process-compose, supervisord, Circus and systemd can be several"
        raise UsageError(f"cannot convert {len(over) + 1} files", f"there is no such thing with {kind}", hint)
    if kind in _OF_YAML:
        return _OF_YAML[kind](cleaned(from_yaml(text, name)), beside)
    return _OF_TEXT[kind](text, around if kind == "pm2" else beside)


def _is_procfile(text: str) -> bool:
    """Whether every line is `name: command`, but for comments and empty ones."""
    lines = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    return bool(lines) and all(map(_PROCESS.fullmatch, lines))
