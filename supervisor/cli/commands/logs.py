"""`portsup logs`: what the services wrote, from the files, whether anything runs or not."""

import argparse
import errno
import math
import os
import sys
import time
from collections.abc import Iterable, Mapping

from supervisor.cli import render
from supervisor.cli.arguments import ALL, line_count, moment
from supervisor.cli.complaint import warn
from supervisor.cli.source import find_source, with_files
from supervisor.core.escapes import tamed
from supervisor.core.naming import parted
from supervisor.errors import UsageError, refusal
from supervisor.words import answers
from supervisor.words import logs as words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.logs.gathering import Group
    from supervisor.logs.line import Line
    from supervisor.logs.part import LogPosition
    from supervisor.logs.query import Query
    from supervisor.logs.sought import Span

EXAMPLES = """\
  portsup logs                       the last 100 lines of every service
  portsup logs -f web                follow new lines, until Ctrl-C
  portsup logs -n all --since 10m    all lines of the last ten minutes
  portsup logs --grep 'timeout|refused' -i --context 3
                                     matching lines, and three around each
  portsup logs api --since-restart --level warning
                                     warnings and errors of the current process
  portsup logs --json-field http.status=500
                                     JSON lines with this field and value
  portsup logs --json                one JSON object per line
  portsup -f FILE logs               after `logs`, -f means follow"""

_LINES = 100
_PALETTE = ("cyan", "yellow", "green", "magenta", "blue")
_LEVELS = ("trace", "debug", "info", "warning", "error", "critical")
_MOST_CONTEXT = 1000
_LOOK_AGAIN = 0.5  # seconds, while there is no directory yet that could be watched, or no descriptor left
_LACKING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `logs`."""
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="print only these services")
    parser.add_argument("-f", "--follow", action="store_true", help="follow new lines, until Ctrl-C")
    parser.add_argument(
        "-n",
        "--lines",
        metavar="N",
        type=line_count,
        help=f"print the last N lines per service, or all (default: {_LINES})",
    )
    parser.add_argument(
        "--since", metavar="WHEN", type=moment, help="print only lines since 10m ago, or since 2026-03-01T09:30"
    )
    parser.add_argument("--until", metavar="WHEN", type=moment, help="print only lines until then; not with --follow")
    parser.add_argument(
        "--since-restart", action="store_true", help="print only lines of the last process of each service"
    )
    parser.add_argument("--grep", metavar="REGEX", help="print only lines that match this Python regular expression")
    parser.add_argument("-i", "--ignore-case", action="store_true", help="ignore case in --grep")
    parser.add_argument("--level", choices=_LEVELS, help="print only lines of this level or above")
    parser.add_argument(
        "--json-field", metavar="NAME[=VALUE]", action="append", default=[],
        help="print only JSON lines with this field; may be given again",
    )  # fmt: skip
    parser.add_argument("--context", metavar="N", type=_number, default=0, help="also print N lines around each match")
    parser.add_argument("-t", "--timestamps", action="store_true", help="print the time before each line")
    parser.add_argument("--json", action="store_true", help="print one JSON object per line")
    parser.add_argument("--no-prefix", action="store_true", help="print lines without the name of the service")


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= _MOST_CONTEXT:
        return int(text)
    raise argparse.ArgumentTypeError(f"`{text}` is not a number of lines from 0 to {_MOST_CONTEXT}")


def run(args: argparse.Namespace) -> int:
    """Print the lines; with --follow there is no end but Ctrl-C."""
    from supervisor.logs.files import log_files
    from supervisor.logs.query import Sieve, make_query
    from supervisor.logs.tail import Follower

    if args.follow and args.until is not None:
        raise UsageError("cannot use `--until` with `-f`", "what comes has no end yet", "leave out one of the two")
    fields = tuple(args.json_field)
    query = make_query(args.grep, ignore_case=args.ignore_case, level=args.level, fields=fields)
    _check(args, query)
    source = find_source(args)
    directory, known = source.directory, with_files(source.directory, source.services)
    paths = log_files(directory, _chosen(args.services, known))
    names = list(paths)
    printer = _Printer(args, known, names)
    is_bounded = args.since is not None or args.until is not None or args.since_restart
    count = args.lines if args.lines is not None else None if is_bounded else _LINES
    count = None if count == ALL else count
    is_searched = bool(query) or is_bounded
    with Follower(paths, 0 if is_searched else count) as follower:
        if is_searched:
            list(follower.last())  # what follows begins here, and what is searched ends here
            _print_found(printer, paths, query, _span(args, directory, names, count, follower.places()))
        else:
            printer.print(follower.last())
        sieve = Sieve(query, args.context) if query else None
        lacking = ""
        while args.follow:
            try:
                lines, lacking = follower.new(), ""
            except OSError as error:  # a rotated log takes further descriptors; nothing is lost meanwhile
                lacking = _tell_of_lack(error, lacking, args.color)
                time.sleep(_LOOK_AGAIN)
                continue
            if sieve is None:
                printer.print(lines)
            else:
                printer.print_groups(sieve.feed(lines))
            if not lines:
                follower.wait(None if os.path.isdir(directory) else _LOOK_AGAIN)
            if follower.may_be_more:  # a replica, or a service
                follower.may_be_more = False
                known = with_files(directory, known)  # a log that was removed meanwhile still has its lines
                paths = log_files(directory, args.services or known)
                printer.know(known, list(paths))
                follower.add(paths)
    return 0


def _tell_of_lack(error: OSError, told: str, color: str) -> str:
    """Says once what is lacking to read on; raises the error where it is no lack."""
    if error.errno not in _LACKING or (lack := refusal(error)) is None:
        raise error
    if lack.why != told:
        warn(words.waits_to_read_on(lack.why, lack.hint), color)
    return lack.why


def _check(args: argparse.Namespace, query: "Query") -> None:
    """Raises UsageError for options that could do nothing."""
    if args.ignore_case and args.grep is None:
        raise UsageError("cannot use `-i`", "it needs `--grep`", "add `--grep REGEX`")
    if args.context and not query:
        raise UsageError(
            "cannot use `--context`",
            "it prints the lines around matches, and no option says what matches",
            "add `--grep REGEX`, `--level` or `--json-field`",
        )


def _span(
    args: argparse.Namespace, directory: str, names: list[str], count: int | None, end: "Mapping[str, LogPosition]"
) -> "Span":
    from supervisor.logs.sought import Span
    from supervisor.logs.starts import last_starts

    since, until = args.since or 0.0, math.inf if args.until is None else args.until
    started = last_starts(os.path.join(directory, "portsup.log"), names) if args.since_restart else {}
    return Span(since, until, started=started, end=end if args.follow else {}, count=count)


def _print_found(printer: "_Printer", paths: dict[str, str], query: "Query", span: "Span") -> None:
    from supervisor.logs.search import Search

    with Search(paths, query, span, printer.context) as search:
        printer.print_groups(search.groups())


def _chosen(asked: list[str], known: list[str]) -> list[str]:
    for name in asked:
        if parted(name, known)[0] not in known:
            from supervisor.cli.commands import did_you_mean

            raise answers.unknown(name, did_you_mean(name, known) or answers.named(known), answers.FIND_LOG)
    return sorted(asked, key=lambda name: known.index(parted(name, known)[0])) if asked else known


def _place(name: str, known: list[str]) -> int:
    service, replica = parted(name, known)
    return known.index(service) + (replica or 1) - 1


class _Printer:
    """Writes lines as they were asked for."""

    def __init__(self, args: argparse.Namespace, known: list[str], names: list[str]) -> None:
        self._args = args
        self._color = render.wants_color(args.color, sys.stdout)
        self._last = ""  # whose group was printed last
        self._prefixes: dict[str, str] = {}
        self.know(known, names)

    def know(self, known: list[str], names: list[str]) -> None:
        """Who may print: `names` of the services `known`."""
        self._known = known
        width = max(map(len, names), default=0)
        self._prefixes |= {  # those of before stay: what is read still may be of a log that was removed
            name: render.paint(f"{name:<{width}} |", _PALETTE[_place(name, known) % len(_PALETTE)], self._color) + " "
            for name in names
        }

    @property
    def context(self) -> int:
        """How many lines around each match are shown."""
        return int(self._args.context)

    def print(self, lines: "Iterable[Line]") -> None:
        """Write `lines`, and make sure that whoever reads a pipe gets them now."""
        sys.stdout.writelines(f"{self._text(line)}\n" for line in lines)
        sys.stdout.flush()

    def print_groups(self, groups: "Iterable[Group]") -> None:
        """The same for lines that were looked for; between groups of them stands `--`, as grep does it."""
        for group in groups:
            service = group.lines[0].line.service
            is_apart = self._last not in ("", service) or not group.goes_on
            if self.context and self._last and is_apart and not self._args.json:
                sys.stdout.write("--\n")
            self._last = service
            sys.stdout.writelines(f"{self._text(line, is_match)}\n" for line, is_match in group.lines)
        sys.stdout.flush()

    def _text(self, line: "Line", is_match: bool = True) -> str:
        from supervisor.logs.line import rfc3339

        if self._args.json:
            service, replica = parted(line.service, self._known)
            record: dict[str, Any] = {"time": rfc3339(line.time), "service": service}
            record |= {} if replica is None else {"replica": replica}
            record |= {"stream": line.stream, "message": line.message}
            return render.json_line(record | ({"match": is_match} if self.context else {}))
        moment = f"{rfc3339(line.time)} " if self._args.timestamps else ""
        prefix = "" if self._args.no_prefix else self._prefixes[line.service]
        return f"{prefix}{moment}{tamed(line.message, keeps_colours=self._color)}"
