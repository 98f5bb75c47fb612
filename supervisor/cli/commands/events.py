"""`portsup events`: what happened to the services, from the journal, and as it goes on happening."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator

from supervisor.cli import render
from supervisor.cli.arguments import ALL, line_count, moment
from supervisor.cli.source import Source, find_source
from supervisor.core.naming import called, parted
from supervisor.errors import UsageError
from supervisor.words import answers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EXAMPLES = """\
  portsup events                     the last 100 events
  portsup events api -f              follow the events of one service
  portsup events --since 10m --json  one JSON object per line
  portsup -f FILE events             after `events`, -f means follow"""

_EVENTS = 100
_LEVELS = {"warning": "yellow", "error": "red"}
_SHOWN_APART = frozenset(("time", "seq", "level", "event", "service", "replica", "state", "words", "hint"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `events`."""
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="print only events of these services")
    parser.add_argument("-f", "--follow", action="store_true", help="follow new events, until the instance ends")
    parser.add_argument(
        "-n", "--lines", metavar="N", type=line_count, help=f"print the last N events, or all (default: {_EVENTS})"
    )
    parser.add_argument(
        "--since", metavar="WHEN", type=moment, help="print only events since 10m ago, or since 2026-03-01T09:30"
    )
    parser.add_argument("--until", metavar="WHEN", type=moment, help="print only events until then; not with --follow")
    parser.add_argument("--json", action="store_true", help="print one JSON object per line")


def run(args: argparse.Namespace) -> int:
    """Print the events; with --follow those that come, too, until the instance ends."""
    if args.follow and args.until is not None:
        raise UsageError("cannot use `--until` with `-f`", "what comes has no end yet", "leave out one of the two")
    source = find_source(args)
    _check(args.services, source)
    if not args.follow:
        _print(_last(_wanted(_journal(source), args, source), args), args)
        return 0
    if source.info is None:
        raise answers.nothing_to_follow()
    from supervisor.control.client import Client

    coming = Client(source.info.socket).follow("events", services=args.services)
    next(coming, None)  # from here on nothing is missed: what is also in the journal is left out below
    past = list(_journal(source))
    # Of whatever service the last one is: those of ours may all be of an earlier run, which counted by itself.
    number = past[-1].get("seq", 0) if past else 0
    _print(_last(_wanted(past, args, source), args), args)
    for answer in coming:
        if answer is None:
            continue
        if "gap" in answer:
            _print([_gap(answer["gap"])], args)
        elif (event := answer.get("event")) is not None and event.get("seq", number + 1) > number:
            _print([event], args)
    return 0


def _check(names: list[str], source: Source) -> None:
    for name in names:
        if parted(name, source.services)[0] not in source.services:
            from supervisor.cli.commands import did_you_mean

            raise answers.unknown(name, did_you_mean(name, source.services) or answers.named(source.services))


def _journal(source: Source) -> "Iterator[dict[str, Any]]":
    from supervisor.logs.history import read_events

    return read_events(os.path.join(source.directory, "portsup.log"))


def _wanted(events: "Iterable[dict[str, Any]]", args: argparse.Namespace, source: Source) -> "Iterator[dict[str, Any]]":
    from supervisor.logs.line import rfc3339

    since = rfc3339(args.since) if args.since is not None else ""
    until = rfc3339(args.until) if args.until is not None else "~"
    wanted = {parted(name, source.services) for name in args.services}
    for event in events:
        who = event.get("service"), event.get("replica")
        if (not wanted or who in wanted or (who[0], None) in wanted) and since <= event["time"] <= until:
            yield event


def _last(events: "Iterable[dict[str, Any]]", args: argparse.Namespace) -> "list[dict[str, Any]]":
    chosen = list(events)
    count = args.lines if args.lines is not None else ALL if args.since is not None else _EVENTS
    return chosen if count == ALL else chosen[max(0, len(chosen) - count) :]


def _gap(count: int) -> "dict[str, Any]":
    import time

    from supervisor.core.journal import Gap
    from supervisor.logs.line import rfc3339

    return {"time": rfc3339(time.time()), "level": Gap.level, "event": Gap.event, "dropped": count}


def _print(events: "Iterable[dict[str, Any]]", args: argparse.Namespace) -> None:
    color = render.wants_color(args.color, sys.stdout)
    for event in events:
        sys.stdout.write(f"{render.json_line(event) if args.json else line(event, color)}\n")
    sys.stdout.flush()


def line(event: "dict[str, Any]", color: bool) -> str:
    """An event for people: when, which service, what, and the facts."""
    facts = [f"{key}={render.printable(_flat(value))}" for key, value in event.items() if _is_shown(key, value)]
    who = called(event["service"], event.get("replica")) if event.get("service") else ""
    service = f"{render.printable(who)}: " if who else ""
    what = render.paint(render.printable(event["event"]), _LEVELS.get(event["level"], ""), color)
    words = f"{service}{what}" + (f" ({', '.join(facts)})" if facts else "")
    return f"{render.paint(render.printable(event['time']), 'dim', color)} {words}"


def _is_shown(key: str, value: object) -> bool:
    return key not in _SHOWN_APART and value is not None and value != ""


def _flat(value: object) -> object:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {inner}" for key, inner in value.items())
    return " ".join(map(str, value)) if isinstance(value, list) else value
