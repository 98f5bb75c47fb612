"""What holds for every test: folders of its own, and nothing left behind; without the mark `live`, no world either."""

import functools
import gc
import os
import re
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from _pytest.runner import runtestprotocol

from supervisor.core.reason import Reason
from tests.support.eventually import eventually
from tests.support.needed import summary
from tests.support.processes import processes_with

if TYPE_CHECKING:
    from xdist.remote import Producer

    from tests.support.scheduling import OnceScheduling

# What a test without the mark `live` may not do; time.sleep has been among the audit events since Python 3.13.
WORLD = frozenset(
    {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "socket.bind", "socket.connect", "time.sleep"}
    | {"subprocess.Popen"}
)
LIVE_ON_A_CORE = 4  # tests at a time: they wait for two thirds of their time
MEMORY = "/dev/shm"  # tests without processes make and remove thousands of files: on a disk for a tenth of their time
ROOM = 1 << 30
UNSAID = 0.005  # seconds; see --durations-min
MOST_WORKERS = 12  # more would wait for the longest files

# Tests start thousands of Pythons that import the same modules: none of them may compile these again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# What a shell starts in the background, or `nohup`, ignores these signals, and so would all that it starts: no Ctrl-C
# of a test would be heard, and no closed terminal. A handler in their place is none in a program that is started.
for _ignored in (signal.SIGINT, getattr(signal, "SIGQUIT", signal.SIGINT), getattr(signal, "SIGHUP", signal.SIGINT)):
    if signal.getsignal(_ignored) is signal.SIG_IGN:
        signal.signal(_ignored, signal.default_int_handler if _ignored == signal.SIGINT else lambda *_: None)

# What portsup hears of, a test says itself.
for _name in [name for name in os.environ if name.startswith("PORTSUP_") and name != "PORTSUP_SYSTEM"]:
    del os.environ[_name]
for _name in ("CLICOLOR_FORCE", "FORCE_COLOR", "NO_COLOR"):
    os.environ.pop(_name, None)

# A run makes hundreds of thousands of objects that stay, such as the syntax trees of all files. To search them again
# and again for what can be freed would take a tenth of its time.
gc.set_threshold(100_000, 50, 100)



def _unsaid(self: Reason) -> str:
    raise AssertionError(f"words/ makes the text of {self!r}")


# A person would read the names of our classes and their fields.
setattr(Reason, "__str__", _unsaid)  # noqa: B010

_pure_test: str | None = None  # the test that runs now, when it is not live
_is_live = False  # the test that is set up or runs now
_base: Path | None = None
_folders: Iterator[Path] = iter(())  # below `_base`, one with a short name for each test


def _refuse_the_world(event: str, _: tuple[object, ...]) -> None:
    if _pure_test is not None and event in WORLD:
        raise AssertionError(f"{_pure_test} does `{event}`, but is not marked live")


sys.addaudithook(_refuse_the_world)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Without live tests, files that have no others are not imported either: what they need takes seconds.

    pytest would look at every path that `--ignore` names for each file anew.
    """
    if config.option.markexpr != "not live" or config.option.ignore_glob or collection_path.is_dir():
        return None
    if not collection_path.match("test_*.py") or str(collection_path) in _passed_over(config):
        return True
    text = collection_path.read_text(encoding="utf-8")
    return bool(re.search(r"^pytestmark = (\[\s*)?pytest\.mark\.live\b", text, re.MULTILINE))


@functools.cache
def _passed_over(config: pytest.Config) -> set[str]:
    return {os.path.abspath(path) for path in config.option.ignore or ()}


def pytest_collectstart() -> None:
    """How much is tried at random; where only others collect, what this imports is not needed."""
    import tests.support.budget  # noqa: F401


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Side by side, the files that take longest come first: none is left to a single worker at the end.

    These are a few that are known, then those with most live tests.
    """
    if hasattr(config, "workerinput"):
        from tests.support.scheduling import takes_long

        live = Counter(item.path for item in items if item.get_closest_marker("live"))
        items.sort(key=lambda item: (not live[item.path], not takes_long(item.nodeid), -live[item.path]))
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Only a test of processes and sockets can hang so that `timeout` does not end it: the others need no thread each
    that would end their worker.
    """
    if config.option.markexpr == "not live":
        config.pluginmanager.unregister(name="faulthandler")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many run with `-n auto`: live tests mostly wait, so several for each core; the others keep one busy."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores if config.option.markexpr == "not live" else LIVE_ON_A_CORE * cores, MOST_WORKERS)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "OnceScheduling":
    """The tests of a file stay together; one that ends its worker is not restarted."""
    from tests.support.scheduling import OnceScheduling

    return OnceScheduling(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says in one line what tests lacked."""
    skipped = terminalreporter.stats.get("skipped", [])
    if line := summary(report.longrepr[2] for report in skipped if isinstance(report.longrepr, tuple)):
        terminalreporter.write_line(line)


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Without live tests, a worker tells of each test once: that it was set up and ended, only where that says more.

    Else to tell it would take as long as a third of the tests. What `--durations` leaves out by itself is not missed.
    """
    if item.config.option.markexpr != "not live" or not hasattr(item.config, "workerinput"):
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed or report.duration > UNSAID:
            if report.passed:
                report.keywords = {}  # nobody asks for the names of all that it is in, which are most of it
            item.ihook.pytest_runtest_logreport(report=report)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Tells the audit hook which test runs."""
    global _pure_test
    _pure_test = None if _is_live else item.name
    try:
        return (yield)
    finally:
        _pure_test = None


def pytest_sessionstart(session: pytest.Session) -> None:
    """Gives each test a folder with a short name."""
    global _base, _folders
    where = MEMORY if session.config.option.markexpr == "not live" and _has_room(MEMORY) else None
    _base = Path(tempfile.mkdtemp(prefix="pt", dir=where)).resolve()
    _base.chmod(0o711)  # a test that becomes another user opens its own folder, and gets there
    _folders = (_base / str(number) for number in count())


def _has_room(folder: str) -> bool:
    try:
        return os.access(folder, os.W_OK | os.X_OK) and shutil.disk_usage(folder).free > ROOM
    except OSError:
        return False


def pytest_sessionfinish() -> None:
    """At the end pytest searches all objects for what can be freed: those that the tests still hold need no search."""
    if _base is not None:
        shutil.rmtree(_base, ignore_errors=True)
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tells `own_places` which test there is: thousands of them have no other need of pytest's `request`."""
    global _is_live
    _is_live = item.get_closest_marker("live") is not None


@pytest.fixture(autouse=True)
def own_places() -> Iterator[Path]:
    """Where the runtime and the state directory of the test are, should it make them.

    After a live test, no process may be left whose environment names them.
    """
    folder = next(_folders)
    os.environ["PORTSUP_RUNTIME_DIR"] = runtime = f"{folder}/r"  # the next test has others: nobody has these back
    os.environ["PORTSUP_STATE_DIR"] = f"{folder}/s"
    is_live = _is_live
    try:
        yield folder
        if is_live:
            _nothing_left(runtime)
    finally:
        if folder.exists():
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_folders(own_places: Path) -> Path:
    """A short folder with these two in it: the path of a unix socket has 107 bytes at most."""
    own_places.mkdir(mode=0o700, exist_ok=True)
    return own_places


@pytest.fixture
def tmp_path(own_folders: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the test.

    That of a live test is pytest's, which stays for a while: something may still be mounted or run there.  For each of
    these pytest looks at the names of all before, so the thousands of others have one that goes with their test.
    """
    if _is_live:
        return tmp_path_factory.mktemp("live")
    folder = own_folders / "t"
    folder.mkdir(mode=0o700)
    return folder


def _nothing_left(runtime: str) -> None:
    """Fails when a process of this test outlives it by two seconds, and ends that process."""
    wanted = f"={runtime}"  # services have no PORTSUP_RUNTIME_DIR, but the path of the socket and of the endpoints file
    try:
        eventually(lambda: not processes_with(wanted), within=2.0)
    except AssertionError:
        left = processes_with(wanted)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        assert not left, f"left behind: {left}"
