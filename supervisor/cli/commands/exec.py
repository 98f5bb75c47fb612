"""`portsup exec`: one program under a pool of ports, without a services.yaml."""

import argparse
import os
import re
from collections.abc import Sequence

from supervisor.cli.arguments import ports
from supervisor.errors import UsageError

EXAMPLES = """\
  portsup exec --pool 6000-6002 -- python3 -m http.server {port}
  portsup exec --name api --port-env API_PORT -- ./server
  portsup exec -- npm run dev        the same pool for this name every time

The program finds its port in PORT. In its arguments {port} becomes the port.
It runs at the terminal, and portsup passes its own signals on to it.

exit codes: that of the program, or 128 plus the number of a signal; 2 usage,
12 no port of the pool can be used, 13 lock lost, 1 the program cannot be run"""

_SPAN = range(20000, 32000)  # where pools come from that nobody names: below the ephemeral ports of every system
_SIZE = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `exec`."""
    parser.add_argument(
        "--pool", metavar="PORTS", type=ports, help="use the first free port of 6000-6002 or 6000,6010"
    )
    parser.add_argument("--name", metavar="NAME", help="show others this name for the ports")
    parser.add_argument(
        "--port-env", metavar="VARIABLE", default="PORT", help="set this variable to the port (default: PORT)"
    )
    parser.add_argument("--strict-ports", action="store_true", help="accept only the first port of the pool")
    parser.add_argument(
        "--handoff",
        choices=("auto", "off"),
        default="auto",
        help="use the handoff; off: the program binds its port itself",
    )
    parser.add_argument("program", nargs="...", metavar="-- CMD", help="the program and its arguments")


def run(args: argparse.Namespace) -> int:
    """Run the program; its exit code."""
    argv = args.program[1:] if args.program[:1] == ["--"] else args.program
    if not argv:
        raise UsageError("cannot run a program", "none is given", "`portsup exec --pool 6000-6002 -- CMD ARGUMENTS`")
    name = name_of(args.name, argv)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", args.port_env):
        raise UsageError(f"cannot set `{args.port_env}`", "this is not the name of a variable")
    from supervisor.daemon.single.program import Program
    from supervisor.daemon.single.run import SingleRun, say_on_stderr
    from supervisor.process.tree import new_run_id

    program = Program(name, argv, args.pool or own_pool(name), args.port_env, args.handoff == "auto", args.strict_ports)
    return SingleRun(program, new_run_id(), say_on_stderr).run()


def name_of(given: str | None, argv: Sequence[str]) -> str:
    """What a program is called to others: as it was said, or like its file; raises UsageError for what is no name."""
    name = given if given is not None else os.path.basename(argv[0]) or argv[0]
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,62}", name):
        raise UsageError(f"cannot call it `{name}`", "a name has letters, digits, and . _ + -", "say `--name NAME`")
    return name


def own_pool(name: str) -> list[int]:
    """The pool of a program that was given none: the same for the same name."""
    import zlib

    first = _SPAN.start + zlib.crc32(name.encode()) % (len(_SPAN) // _SIZE) * _SIZE
    return list(range(first, first + _SIZE))
