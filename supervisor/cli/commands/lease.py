"""`portsup lease`: ports that are nobody else's for as long as a command runs."""

import argparse

from supervisor.cli.arguments import ports
from supervisor.errors import UsageError

EXAMPLES = """\
  portsup lease 8100-8104 -- ./run-the-tests.sh
  portsup lease 8100,8110 --name e2e -- make test

portsup leases all of the ports, or none: no other portsup uses them until the
command has ended, and nothing listens on them when it starts. The command
finds them in PORTS, separated by spaces, and the first one in PORT.

exit codes: that of the command, or 128 plus the number of a signal; 2 usage,
12 a port is taken, 13 lock lost, 1 the command cannot be run"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `lease`."""
    parser.add_argument("ports", metavar="PORTS", type=ports, help="such as 8100-8104 or 8100,8110")
    parser.add_argument("--name", metavar="NAME", help="show others this name for the ports")
    # Behind PORTS the rest would begin at once with `...`, and `--name` there be part of the command.
    program = parser.add_argument(
        "program", nargs=argparse.PARSER, metavar="-- CMD", help="the command and its arguments"
    )
    program.required = False


def run(args: argparse.Namespace) -> int:
    """Run the command; its exit code."""
    argv = list(args.program or ())
    argv = argv[1:] if argv[:1] == ["--"] else argv
    if not argv:
        raise UsageError("cannot lease ports", "no command is given", "`portsup lease 8100-8104 -- CMD ARGUMENTS`")
    from supervisor.cli.commands.exec import name_of
    from supervisor.daemon.single.program import Program
    from supervisor.daemon.single.run import SingleRun, say_on_stderr
    from supervisor.process.tree import new_run_id

    program = Program(name_of(args.name, argv), argv, args.ports, wants_all=True)
    return SingleRun(program, new_run_id(), say_on_stderr).run()
