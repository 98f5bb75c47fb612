"""Scripts that run one script in every package of a workspace: by turbo, pnpm, yarn, npm, bun, lerna or nx."""

import json
import os.path
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from supervisor.config.foreign import from_yaml
from supervisor.convert.around import Around
from supervisor.convert.values import cleaned, mapping, texts
from supervisor.dataclass import dataclass
from supervisor.errors import PortsupError

MOST = 40  # packages
_BEFORE = re.compile(
    r"^(?:[A-Z_]\w*=\S+ |cross-env |dotenv (?:-\S+ \S+ )*-- |npx |pnpm exec |bunx |yarn (?=turbo|lerna|nx))*"
)
_FILTERS = ("--filter", "-F", "-w", "--workspace", "--scope", "-p", "--projects")


@dataclass(frozen=True, slots=True)
class Run:
    """What such a script runs: the name of a script, the packages that it is about, and by which tool."""

    tool: str
    script: str
    filters: tuple[str, ...] = ()

    @property
    def ends_together(self) -> bool:
        """Whether the failure of one ends the others."""
        return self.tool in ("turbo", "pnpm", "lerna")


@dataclass(frozen=True, slots=True)
class Member:
    """A package of the workspace that has the script."""

    name: str  # without its scope
    folder: str
    script: str  # the text of it


def run_of(text: str) -> Run | None:
    """What a script runs in the packages of its workspace; None if it does something else, or that as well."""
    if re.search(r"[&|;<>$`\n]", text):
        return None
    try:
        words = shlex.split(_BEFORE.sub("", text.strip()))
    except ValueError:
        return None
    tool = words[0] if words else ""
    rest = words[1:]
    match tool:
        case "turbo":
            rest = rest[1:] if rest[:1] in (["run"], ["watch"], ["dev"]) and len(rest) > 1 else rest
        case "pnpm" | "bun" if not set(rest) & {"-r", "--recursive"} and not any(_is_filter(word) for word in rest):
            return None
        case "yarn" if rest[:2] == ["workspaces", "foreach"]:
            rest = rest[2:]
        case "npm" if set(rest) & {"--workspaces", "-ws"} or any(_is_filter(word) for word in rest):
            pass
        case "lerna" | "nx" if rest[:1] in (["run"], ["run-many"]):
            rest = rest[1:]
        case "pnpm" | "bun":
            pass
        case _:
            return None
    return _run(tool, rest)


def _is_filter(word: str) -> bool:
    return word.partition("=")[0] in _FILTERS


def _run(tool: str, words: Sequence[str]) -> Run | None:
    names, filters, at = [], [], 0
    while at < len(words):
        word, at = words[at], at + 1
        option, equals, value = word.partition("=")
        if word == "--":
            break
        if option in ("-t", "--target", "--targets") and tool == "nx":
            names.append(value if equals else words[at] if at < len(words) else "")
            at += not equals
        elif _is_filter(option) and not (tool == "yarn" and option == "-p"):
            filters.append(value if equals else words[at] if at < len(words) else "")
            at += not equals
        elif option in ("--concurrency", "--env-mode", "--ui", "--log-order", "--jobs", "-j") and not equals:
            at += 1
        elif not word.startswith("-") and word != "run":
            names.append(word)
    return Run(tool, names[0], tuple(filters)) if len(names) == 1 and names[0] else None


def members(run: Run, package: Mapping[str, Any], around: Around) -> list[Member]:
    """The packages of the workspace that the script runs in; none where that is not known."""
    found: list[Member] = []
    for folder in _folders(package, around):
        try:
            inner = mapping(cleaned(json.loads(around.read(os.path.join(folder, "package.json")))))
        except (PortsupError, ValueError, RecursionError):
            continue
        text = mapping(inner.get("scripts")).get(run.script)
        full = str(inner.get("name") or os.path.basename(folder))
        chosen = _is_chosen(full, folder, run.filters)
        if chosen is None:
            return []
        if chosen and isinstance(text, str):
            found.append(Member(full.rpartition("/")[2], folder, text))
    return found


def _folders(package: Mapping[str, Any], around: Around) -> Iterator[str]:
    told = package.get("workspaces")
    patterns = texts(mapping(told).get("packages")) if isinstance(told, dict) else texts(told)
    if not patterns and around.is_there("pnpm-workspace.yaml"):
        try:
            data = from_yaml(around.read("pnpm-workspace.yaml"), "pnpm-workspace.yaml")
        except PortsupError:
            return
        patterns = texts(mapping(data).get("packages"))
    left_out = [each[1:].strip("/") for each in patterns if each.startswith("!")]
    seen: dict[str, None] = {}
    for pattern in patterns:
        for each in () if pattern.startswith("!") else _depths(pattern.rstrip("/")):
            found = around.found(f"{each}/package.json")
            seen |= dict.fromkeys(os.path.normpath(os.path.dirname(file)) for file in found)
    for plain in seen:
        is_own = plain != "." and "node_modules" not in plain.split("/")
        if is_own and not any(fnmatchcase(plain, each) for each in left_out):
            yield plain


def _depths(pattern: str) -> Sequence[str]:
    """A pattern, and of one that ends with `**` those for the folder itself and two below it."""
    if pattern.rpartition("/")[2] != "**":
        return [pattern]
    above = pattern[:-2] or "./"
    return [above.rstrip("/"), f"{above}*", f"{above}*/*"]


def _is_chosen(name: str, folder: str, filters: Sequence[str]) -> bool | None:
    """Whether the filters mean a package; None if they say more than names and folders."""
    chosen = not any(not each.startswith("!") for each in filters)
    for each in filters:
        pattern = each.removeprefix("!")
        if re.search(r"[\[\]{}^]|\.\.\.", pattern):
            return None
        if pattern.startswith("./"):
            fits = fnmatchcase(folder, os.path.normpath(pattern.replace("**", "*")))
        else:
            fits = fnmatchcase(name, pattern) or fnmatchcase(name.rpartition("/")[2], pattern)
        if fits:
            chosen = not each.startswith("!")
    return chosen


def built_first(run: Run, around: Around) -> list[str]:
    """The tasks that turbo runs before the script, as turbo.json has them."""
    if run.tool != "turbo":
        return []
    try:
        plain = re.sub(
            r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', lambda found: found[1] or " ", around.read("turbo.json")
        )
        top = mapping(json.loads(re.sub(r",(?=\s*[}\]])", "", plain)))
    except (PortsupError, ValueError, RecursionError):
        return []
    tasks = mapping(top.get("tasks") or top.get("pipeline"))
    return texts(mapping(tasks.get(run.script)).get("dependsOn"))
