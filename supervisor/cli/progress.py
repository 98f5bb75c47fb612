"""What the commands share that change something: they follow the daemon's progress and end with its results."""

import argparse
import sys
from collections.abc import Iterable

from supervisor.cli.live import Stderr, words_of
from supervisor.cli.render import paint, wants_color
from supervisor.errors import ExitCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.control.progress import Progress


def follow(answers: "Iterable[Progress]", args: argparse.Namespace) -> int:
    """Say each step on stderr as it happens, then how it went for each service; the exit code.

    Whom it waits for is shown in place on a terminal, and said every few seconds elsewhere.
    """
    color = wants_color(args.color, sys.stderr)
    code = ExitCode.OK
    said = set()
    with Stderr(args.color) as screen:
        for answer in answers:
            if answer.waiting is not None and screen.is_live:
                screen.show(words_of(answer.waiting))
            elif answer.progress:
                said.add(answer.progress)
                screen.say(answer.progress)
            for result in answer.results or ():
                text = f"{result.name}: {result.words}"
                if not result.ok:
                    code = ExitCode.BUG if result.internal_error else max(code, ExitCode.FAILURE)
                    screen.say(f"{paint('error:', 'red', color)} {text}")
                elif text not in said:  # its progress may have ended with the same words
                    screen.say(text)
    return int(code)


def add_services(parser: argparse.ArgumentParser) -> None:
    """The services that a command is about; at least one."""
    parser.add_argument("services", nargs="+", metavar="SERVICE", help="one or more services")


def add_timeout(parser: argparse.ArgumentParser) -> None:
    """How long a service may take to stop before it is killed."""
    from supervisor.cli.parser import seconds

    parser.add_argument(
        "-t", "--timeout", metavar="S", type=seconds, help="kill after S seconds (default: stop_grace_period)"
    )
