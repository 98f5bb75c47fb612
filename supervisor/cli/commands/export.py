"""`portsup export`: the stack as units of systemd, quadlets, a compose file, or manifests of Kubernetes."""

import argparse
import errno
import os
from pathlib import Path

from supervisor.cli.commands.config import load
from supervisor.cli.commands.unit import own_user
from supervisor.cli.complaint import say, warn
from supervisor.cli.config_files import files_asked
from supervisor.errors import PortsupError, UsageError
from supervisor.words.enumeration import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.config.spec import StackSpec
    from supervisor.export.model import Export, Target, Wishes

EXAMPLES = """\
  portsup export systemd -o units                     units of the programs
  portsup export quadlet --image shop:1 -o quadlets   containers with portsup
  portsup export compose --image shop:1 > compose.yaml
  portsup export kubernetes --image registry.example/shop:1 | kubectl apply -f -"""

TARGETS = ("systemd", "quadlet", "compose", "kubernetes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to, and what services.yaml does not say."""
    parser.add_argument("target", choices=TARGETS, metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("-o", "--output", metavar="DIR", help="write the files there (default: print them)")
    parser.add_argument("--force", action="store_true", help="overwrite existing files, with -o")
    parser.add_argument("--image", metavar="IMAGE", help="run this image in the containers; systemd needs none")
    parser.add_argument("--workdir", metavar="DIR", help="look for the stack there in the image (default: /app)")
    parser.add_argument("--system", action="store_true", help="write for the systemd of the machine, not for your own")
    parser.add_argument(
        "--user", metavar="NAME", help="run services without a user of their own as NAME (--system)"
    )
    parser.add_argument(
        "--profile", metavar="NAME", action="append", default=[], help="also write this profile; may be given again"
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Write or print the files; what is lost is said on stderr."""
    from supervisor.config.selection import active_profiles, starts_by_itself
    from supervisor.export.losses import lines
    from supervisor.export.model import Target
    from supervisor.export.stack import export

    target = Target(args.target)
    _check(args, target)
    stack = load(files_asked(args))
    for warning in stack.warnings:
        warn(warning, args.color)
    profiles = active_profiles(stack, args.profile, os.environ)
    selected = tuple(name for name, spec in stack.services.items() if starts_by_itself(spec, profiles))
    made = export(stack, target, selected, _wishes(args, target, stack))
    if args.output:
        _write(Path(args.output), made, args.force)
    else:
        print(_printed(made), end="")
    if found := lines(made.losses, len(stack.services)):
        say("\n".join(found))
    say("\n".join(["next:", *(f"  {step}" for step in made.steps)]))
    return 0


def _check(args: argparse.Namespace, target: "Target") -> None:
    what = f"cannot export for {target}"
    if target.is_container and not args.image:
        raise UsageError(what, "nothing says which image the containers are made of", "name it: `--image shop:1`")
    for option, value in (("--image", args.image), ("--workdir", args.workdir)):
        if value and not target.is_container:
            raise UsageError(what, f"`{option}` is about containers, and its units have none", f"leave `{option}` out")
    if args.workdir and not args.workdir.startswith("/"):
        raise UsageError(what, f"`{args.workdir}` is not absolute", "write it as it is in the image: `--workdir /app`")
    if args.system and not target.is_unit:
        raise UsageError(what, "`--system` is about systemd", "leave `--system` out")
    if args.user is not None and not (args.system and not target.is_container):
        raise UsageError(what, "`--user` is about units of the machine", "use it with `systemd --system`")
    if args.force and not args.output:
        raise UsageError(what, "`--force` is about files, and they are printed", "name a directory: `-o DIR`")


def _wishes(args: argparse.Namespace, target: "Target", stack: "StackSpec") -> "Wishes":
    from supervisor.export.model import Wishes
    from supervisor.process.executable import with_own_bin

    path = "" if target.is_container else with_own_bin(os.environ.get("PATH", os.defpath))
    return Wishes(
        image=args.image or "",
        folder=args.workdir or "/app",
        is_system=args.system,
        user=(args.user or own_user()) if args.system and not target.is_container else "",
        path=path,
        programs={} if target.is_container else _programs(stack, path),
    )


def _programs(stack: "StackSpec", path: str) -> dict[str, dict[str, str]]:
    """The files of what each service runs, as portsup would find them; those that are not here are warned of.

    systemd takes no path that begins in the working directory.
    """
    from supervisor.process.executable import find

    found: dict[str, dict[str, str]] = {}
    for name, spec in stack.services.items():
        for command in (spec.command, *(hook.command for hook in spec.all_hooks.values())):
            try:
                program = find(command[0], {"PATH": path, **spec.environment}, str(spec.working_dir))
            except PortsupError:
                why = f"{name}: there is no program `{command[0]}` here"
                if "/" not in command[0]:
                    warn(f"{why}: write its absolute path into the unit")
                    continue
                program = os.path.join(spec.working_dir, command[0])
                warn(f"{why}: its unit runs `{os.path.normpath(program)}`")
            found.setdefault(name, {})[command[0]] = os.path.normpath(program)
    return found


def _printed(made: "Export") -> str:
    if len(made.files) == 1:
        return made.files[0].text
    return "\n".join(f"# ===== {file.name}\n{file.text}" for file in made.files)


def _has(path: Path, content: bytes) -> bool:
    """Whether this is all that a file holds; raises OSError for what is no file, or cannot be read."""
    from supervisor.files.content import read
    from supervisor.files.opening import Refused

    try:
        return read(path, len(content)) == content
    except Refused as error:
        if error.errno != errno.EFBIG:
            raise
        return False


def _write(folder: Path, made: "Export", force: bool) -> None:
    """All files or, where one of them is there with other content, none."""
    from supervisor.files.opening import Refused, why
    from supervisor.files.replacement import write_if_different

    try:
        for file in made.files:
            path = folder / file.name
            if os.path.lexists(path) and not force and not _has(path, file.text.encode()):
                hint = "`--force` overwrites it, `-o DIR` writes elsewhere"
                raise PortsupError(f"cannot write `{path}`", "it is there already, with other content", hint)
        folder.mkdir(parents=True, exist_ok=True)
        for file in made.files:
            write_if_different(folder / file.name, file.text.encode())
    except (OSError, ValueError) as error:
        hint = "`-o DIR` writes elsewhere, without `-o` the files are printed"
        reason = "it is no directory" if isinstance(error, FileExistsError | NotADirectoryError) else why(error)
        what = f"cannot write `{error.filename}`" if isinstance(error, Refused) else f"cannot write into `{folder}`"
        raise PortsupError(what, reason, hint) from error
    count = len(made.files)
    say(f"wrote {counted(count, 'file')} into `{folder}`")
