"""`portsup init`: a services.yaml for this folder, or of another supervisor's file."""

import argparse
import os
import re
import shutil
from pathlib import Path

from supervisor.cli.complaint import say, warn
from supervisor.cli.foreign_files import converted, read_text, shown_path, with_override
from supervisor.errors import PortsupError, UsageError
from supervisor.files.opening import Refused, why
from supervisor.files.replacement import write, write_new
from supervisor.words.enumeration import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from supervisor.convert.draft import Draft, Outcome

EXAMPLES = """\
  portsup init                              services.yaml for this directory
  portsup init --from Procfile              convert, and list what is lost
  portsup init --from docker-compose.yml --from docker-compose.prod.yml
  portsup init --from ecosystem.config.js --evaluate
  portsup init --from deploy/web.conf --kind supervisord --stdout
  portsup init --from .mcp.json             the MCP servers of your agents
  portsup init --from docker-compose.yml -o services.yaml --force"""

NAME = "services.yaml"
KINDS = (
    "procfile", "supervisord", "compose", "process-compose", "pm2", "mprocs", "systemd", "pitchfork", "package.json",
    "circus", "mcp.json",
)  # fmt: skip
# Looked for in this order; the first that is there tells more than any guess.
SOURCES = (
    "Procfile.dev", "Procfile", "process-compose.yaml", "process-compose.yml", "mprocs.yaml", "mprocs.yml",
    "pitchfork.toml", "ecosystem.config.json", "ecosystem.config.js", "ecosystem.config.cjs", "supervisord.conf",
    "circus.ini", "docker-compose.yml", "docker-compose.yaml", "compose.yaml", "compose.yml",
)  # fmt: skip
SKIPPED = (
    "node_modules",
    "venv",
    "env",
    "dist",
    "build",
    "target",
    "vendor",
    "docs",
    "doc",
    "examples",
    "tests",
    "test",
)
MOST_FOLDERS = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where from, where to."""
    parser.add_argument(
        "--from", dest="sources", metavar="FILE", action="append", default=[],
        help="convert this file of another supervisor; may be given again",
    )  # fmt: skip
    parser.add_argument(
        "--kind", choices=KINDS, metavar="KIND", help="read FILE as this format, if portsup cannot recognize it"
    )
    parser.add_argument(
        "--evaluate", action="store_true", help="let node run a configuration in JavaScript, as pm2 does"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help=f"write to FILE (default: {NAME} in this directory)")
    parser.add_argument("--stdout", action="store_true", help="print the result, and write no file")
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")


def run(args: argparse.Namespace) -> int:
    """Write or print the file; says on stderr what could not be carried over."""
    if args.stdout and (args.output or args.force):
        raise UsageError("cannot carry out `init`", "`--stdout` writes no file", "leave `-o` and `--force` out")
    if args.kind and not args.sources:
        raise UsageError("cannot carry out `init`", "`--kind` is about the file of `--from`", "name one: `--from FILE`")
    if args.evaluate and len(args.sources) != 1:
        raise UsageError("cannot carry out `init`", "`--evaluate` is about one file", "name it: `--from FILE`")
    if args.file:
        hint = "the file to write is `-o FILE`, the one to convert `--from FILE`"
        raise UsageError("cannot carry out `init`", "`-f` names a services.yaml that is there", hint)
    from supervisor.convert.moved import move

    here = Path(os.getcwd())  # a deleted one is a mistake: `/` is not the folder that is meant
    target = here / (args.output or NAME)
    if os.path.isdir(target):
        target = target / NAME
    if not args.stdout:
        _refuse(target, args.force)
    if args.sources:
        outcome, head, base = converted(here, args.sources, args.kind, args.evaluate)
    else:
        (outcome, head), base = _guess(here), here
    move(outcome, _from(target.parent, base))
    text = _text(outcome, head, target)
    if base != target.parent and (base / ".env").is_file() and re.search(r"(?<!\$)(?:\$\$)*\$\{", text):
        ours, theirs = shown_path(target.with_name(".env")), shown_path(base / ".env")
        warn(f"`${{…}}` is filled in from the environment and `{ours}`: copy what is needed from `{theirs}`")
    _check(target, text, args)
    if args.stdout:
        print(text, end="")
    else:
        _write(target, text, args.force)
        count = len(outcome.services)
        say(f"wrote `{shown_path(target)}` with {counted(count, 'service')}: `portsup up` starts it")
    _say_left(outcome)
    return 0


def _from(folder: Path, base: Path) -> str:
    """`base` as a file in `folder` has to write it."""
    try:
        return Path(os.path.relpath(base, folder)).as_posix()
    except ValueError:  # another drive
        return str(base)


def _refuse(target: Path, force: bool) -> None:
    if os.path.lexists(target) and not force:
        hint = "`--force` overwrites it, `--stdout` prints what would be written, `-o FILE` writes elsewhere"
        raise PortsupError(f"cannot write `{shown_path(target)}`", "it is there already", hint)


def _guess(here: Path) -> "tuple[Outcome, list[str]]":
    from supervisor.cli.surroundings import around
    from supervisor.convert.draft import Outcome
    from supervisor.convert.folder import example
    from supervisor.convert.recognise import convert, kind_of

    head = ["Made by `portsup init` from the files in this directory. A comment marks each guess: check it."]
    for name in SOURCES:
        if os.path.isfile(here / name):
            try:
                text, (_, *others) = read_text(here / name), with_override(here, name)
                over = [(each, read_text(here / each)) for each in others]
                outcome = convert(kind_of(name, text), name, text, over, around(here, read_text))
            except PortsupError as error:
                head.append(f"{error}")
                continue
            for service in outcome.services:
                service.notes.insert(0, f"from {' and '.join((name, *others))}")
            return outcome, head
    outcome = Outcome(list(_services(here)))
    if not outcome.services:
        outcome.services.append(example())
    return outcome, head


def _services(here: Path) -> "Iterator[Draft]":
    """The guesses for this folder and, where it has none itself or beside them, for the folders in it."""
    from supervisor.convert.folder import look

    yield from look(_files(here), "")
    try:
        inner = sorted(path for path in here.iterdir() if os.path.isdir(path) and not path.name.startswith((".", "_")))
    except OSError:
        return
    for folder in [path for path in inner if path.name not in SKIPPED][:MOST_FOLDERS]:
        files = _files(folder)
        if files.keys() - {"index.html"} - {name for name in files if name.endswith(".py")} or "manage.py" in files:
            for draft in look(files, folder.name):
                draft.fields["working_dir"] = folder.name
                yield draft
                break  # a folder is one service


def _files(folder: Path) -> dict[str, str]:
    from supervisor.convert.folder import LOCKS, MANIFESTS, SOURCES

    found = {}
    for name in (*MANIFESTS, *LOCKS, *SOURCES):
        path = folder / name
        try:
            if path.is_file():
                found[name] = "" if name in LOCKS else read_text(path)
        except (OSError, PortsupError):
            continue  # what cannot be read tells nothing
    return found


def _text(outcome: "Outcome", head: list[str], target: Path) -> str:
    from supervisor.cli.surroundings import highest_limit
    from supervisor.config import envfile
    from supervisor.config.files import outgoing_ports
    from supervisor.config.scalars import tidy_name
    from supervisor.convert import limits
    from supervisor.convert.emit import document
    from supervisor.convert.reconcile import reconcile

    def against(path: str, is_folder: bool) -> str:
        place = target.parent / os.path.expanduser(path)
        try:
            if is_folder:
                return "is not a directory" if place.exists() and not place.is_dir() else ""
            if not place.exists():
                return "is missing"
            return "has lines that are no NAME=VALUE" if envfile.parse(read_text(place))[1] else ""
        except (PortsupError, OSError, ValueError) as error:
            return f"cannot be read ({getattr(error, 'why', '') or error})"

    limits.keep_within(outcome, highest_limit)
    reconcile(outcome, outgoing_ports(), against)
    head = [*head, "`portsup config check` says whether it is right, `portsup schema` what it may say."]
    return document(head, tidy_name(outcome.name), outcome.services, outcome.left, outcome.absent)


def _check(target: Path, text: str, args: argparse.Namespace) -> None:
    """Hold the text against the rules before anybody relies on it; warnings are those of `config check`."""
    from supervisor.config.load import load
    from supervisor.convert.demands import demanded, with_stand_ins

    known = {**_dotenv(target), **os.environ}
    warnings = load(target, with_stand_ins(text, os.environ), text=text).warnings
    if missing := demanded(text, known):  # what is said of their stand-ins is true of none of them
        others = load(target, with_stand_ins(text, os.environ, "2"), text=text).warnings
        warnings = tuple(each for each in warnings if each in others)
    for warning in warnings:
        warn(warning, args.color)
    if absent := _absent(target, text, known):
        warn(f"before `portsup up`, install what is not on this machine: {', '.join(absent)}")
    if missing:
        warn(f"before `portsup up`, set {', '.join(f'`{name}`' for name in missing)}, in the environment or in `.env`")


def _absent(target: Path, text: str, known: "Mapping[str, str]") -> list[str]:
    """The programs that are nowhere on the PATH, each with the services that run it."""
    from supervisor.config.load import load
    from supervisor.convert.demands import with_stand_ins

    found: dict[str, list[str]] = {}
    one, other = (load(target, with_stand_ins(text, known, value), text=text).services for value in "12")
    for name, service in one.items():
        program = service.command[0]
        is_known = program == other[name].command[0]  # else a variable names it
        if is_known and "/" not in program and "PATH" not in service.environment and not shutil.which(program):
            found.setdefault(program, []).append(name)
    return [f"`{program}` ({', '.join(names)})" for program, names in found.items()]


def _dotenv(target: Path) -> dict[str, str]:
    from supervisor.config import envfile

    place = target.with_name(".env")
    try:
        return {each.name: each.value for each in envfile.parse(read_text(place))[0]} if place.is_file() else {}
    except PortsupError:
        return {}


def _write(target: Path, text: str, force: bool) -> None:
    """All or nothing: a file that is there stays whole when the disk is full, and none is left half written."""
    try:
        if force:
            write(target, text.encode(), durable=True)
        else:
            write_new(target, text.encode())
    except FileExistsError:
        _refuse(target, force=False)
        raise
    except OSError as error:
        hint = "`--stdout` prints it instead"
        if isinstance(error, Refused):
            hint = f"name the file itself with `-o`, or remove what is there; {hint}"
        raise PortsupError(f"cannot write `{shown_path(target)}`", why(error), hint) from error


def _say_left(outcome: "Outcome") -> None:
    from supervisor.config.report import printable

    lines = [f"  {service.name}: {left}" for service in outcome.services for left in service.left]
    lines += [f"  {left}" for left in outcome.left]
    if lines:
        say("\n".join(["not carried over:", *map(printable, lines)]))
