"""Lines of the logs of an instance, looked for in its files: whether it runs or not, and without asking its daemon."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence

from supervisor.api.lacking import in_words
from supervisor.api.values import FoundLine, LogPage, LogQuery
from supervisor.control.json_form import as_json, read
from supervisor.errors import PortsupError, UsageError
from supervisor.logs.files import log_files
from supervisor.logs.gathering import Found
from supervisor.logs.line import rfc3339
from supervisor.logs.part import LogPosition
from supervisor.logs.query import make_query
from supervisor.logs.search import Search
from supervisor.logs.sought import Span
from supervisor.logs.starts import last_starts
from supervisor.words import logs as words

SECONDS = 10.0  # that a search may take; what was found until then is given
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_APART = "import sys; sys.path.insert(0, sys.argv[1]); from supervisor.api.log_search import main; main()"


def search_logs(
    directory: str, services: Sequence[str], query: LogQuery | None = None, seconds: float = SECONDS
) -> LogPage:
    """The lines that `query` asks for, of these services, in the order of time; raises UsageError for what it cannot.

    `directory` is where the instance keeps its logs.  A regular expression can only be stopped in the main thread, so
    for one in another thread a process of its own does the work.
    """
    asked = query or LogQuery()
    try:
        return _searched(directory, services, asked, seconds)
    except OSError as error:  # no descriptor is left, or the disk fails
        raise in_words(error, words.CANNOT_SEARCH) from error


def _searched(directory: str, services: Sequence[str], asked: LogQuery, seconds: float) -> LogPage:
    if asked.grep is None or threading.current_thread() is threading.main_thread():
        return _search(directory, services, asked, seconds)
    request = {"directory": directory, "services": list(services), "query": as_json(asked), "seconds": seconds}
    try:
        ran = subprocess.run(
            [sys.executable, "-c", _APART, _ROOT], input=json.dumps(request).encode(), capture_output=True,
            timeout=seconds + 5.0, check=True,
        )  # fmt: skip
        told = json.loads(ran.stdout)
    except subprocess.TimeoutExpired:
        raise words.too_long(seconds) from None
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise words.search_failed(error) from error
    if "error" in told:
        raise (UsageError if told["is_usage"] else PortsupError)(*told["error"])
    return read(LogPage, told)


def main() -> None:
    """Answers one question on stdin, for `search_logs` of another process."""
    asked = json.load(sys.stdin)
    try:
        query = read(LogQuery, asked["query"])
        told = as_json(search_logs(asked["directory"], asked["services"], query, asked["seconds"]))
    except PortsupError as error:
        told = {"error": [error.what, error.why, error.hint], "is_usage": isinstance(error, UsageError)}
    json.dump(told, sys.stdout)


def _search(directory: str, services: Sequence[str], asked: LogQuery, seconds: float) -> LogPage:
    query = make_query(asked.grep, ignore_case=asked.ignore_case, level=asked.level, fields=asked.fields)
    paths = log_files(directory, services)
    started = last_starts(os.path.join(directory, "portsup.log"), paths) if asked.since_restart else {}
    since, until = asked.since or 0.0, float("inf") if asked.until is None else asked.until
    begin = _places(asked.cursor)
    span = Span(since, until, started=started, begin=begin, count=asked.count)
    with Search(paths, query, span, asked.context, seconds) as search:
        found = tuple(
            _told(each, goes_on=group.goes_on or number > 0)
            for group in search.groups()
            for number, each in enumerate(group.lines)
        )
        return LogPage(found, _cursor({**begin, **search.places()}), search.is_cut, search.has_gap)


def _told(found: Found, *, goes_on: bool) -> FoundLine:
    line = found.line
    return FoundLine(rfc3339(line.time), line.service, line.stream, line.message, found.is_match, goes_on)


def _cursor(places: Mapping[str, LogPosition]) -> str:
    return ",".join(f"{name}@{'.'.join(format(number, 'x') for number in place)}" for name, place in places.items())


def _places(cursor: str) -> dict[str, LogPosition]:
    """The places that a cursor stands for; raises UsageError for one that we did not make."""
    found: dict[str, LogPosition] = {}
    try:
        for each in filter(None, cursor.split(",")):
            name, _, numbers = each.rpartition("@")
            device, inode, offset, head = (int(number, 16) for number in numbers.split("."))
            found[name] = LogPosition(device, inode, offset, head)
    except ValueError:
        raise words.no_cursor() from None
    return found
