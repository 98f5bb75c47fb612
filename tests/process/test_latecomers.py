"""Modules that run late are the same modules, whoever asks first and for whatever."""

import functools
import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.process import latecomers

ROOT = Path(__file__).parents[2]
BEGIN = """
import sys
from supervisor.process.latecomers import put_off
put_off()
import asyncio, concurrent.futures, pathlib, subprocess
def late():
    return sorted(name for name in sys.modules if type(sys.modules[name]).__name__ == "_Latecomer")
ALL = [
    "asyncio.sslproto", "asyncio.staggered", "asyncio.trsock",
    "concurrent.futures", "inspect", "linecache", "locale", "logging", "ntpath", "subprocess", "traceback",
    "typing", "urllib.parse",
]
"""


def ran(program: str, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, *options, "-c", BEGIN + program], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Handlers:
    def plain(self) -> None: ...

    async def waits(self) -> None: ...

    def __call__(self) -> None: ...


@pytest.mark.parametrize(
    "handler",
    [
        Handlers().plain,
        Handlers().waits,
        Handlers(),
        Handlers,
        functools.partial(Handlers().plain),
        functools.partial(functools.partial(Handlers.waits, Handlers())),
        lambda: None,
        print,
    ],
)
def test_what_asyncio_asks_of_a_handler_has_the_answer_of_inspect(handler: Callable[[], object]) -> None:
    answer = latecomers._is_coroutine_function(handler)
    assert answer is inspect.iscoroutinefunction(handler)


@pytest.mark.live
def test_a_loop_that_listens_to_signals_and_paths_run_none_of_them() -> None:
    program = """
async def main():
    asyncio.get_running_loop().add_signal_handler(15, print)
    await asyncio.create_task(asyncio.sleep(0))
asyncio.run(main())
str(pathlib.Path("/a") / "b")
print(late() == ALL, "ast" in sys.modules, "tokenize" in sys.modules)
"""
    assert ran(program) == "True False False\n"


@pytest.mark.live
def test_each_is_whole_once_something_is_asked_of_it() -> None:
    program = """
import inspect, linecache, locale, traceback, urllib.parse
from urllib.parse import urlsplit
print(urlsplit("http://a/b").netloc, urllib.parse.quote_from_bytes is urllib.parse.__dict__["quote_from_bytes"])
print(inspect.signature(lambda a, b: 0), inspect.iscoroutinefunction.__module__)
print(linecache.getline(linecache.__file__, 1) != "", locale.localeconv()["decimal_point"])
try:
    1 / 0
except ZeroDivisionError:
    print(traceback.format_exc().splitlines()[-1], traceback.extract_stack()[-1].name)
asked = inspect, linecache, locale, traceback, urllib.parse
left = [each for each in asked if each.__name__ in late()]
print(pathlib.PurePosixPath("/a b").as_uri(), left, sys.modules["inspect"] is inspect)
try:
    inspect.no_such_thing
except AttributeError as error:
    print(error)
"""
    assert ran(program).splitlines() == [
        "a True",
        "(a, b) inspect",
        "True .",
        "ZeroDivisionError: division by zero <module>",
        "file:///a%20b [] True",
        "module 'inspect' has no attribute 'no_such_thing'",
    ] or ran(program).splitlines()[2].startswith('r""')


@pytest.mark.live
def test_who_asks_typing_for_what_asyncio_has_taken_gets_the_real_thing() -> None:
    program = """
print("typing" in late())
from typing import Optional, final
print(Optional[int], "typing" in late(), final.__module__, asyncio.sleep(0).close())
from asyncio import sslproto, staggered, trsock
print(trsock.TransportSocket.__name__, sslproto.SSLProtocol.__name__, staggered.staggered_race.__name__)
"""
    assert ran(program).splitlines() == [
        "True", "typing.Optional[int] False typing None", "TransportSocket SSLProtocol staggered_race",
    ]  # fmt: skip


@pytest.mark.live
def test_what_asyncio_took_of_them_is_what_they_have() -> None:
    program = """
taken = asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION, asyncio.ALL_COMPLETED
taken += asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT, asyncio.subprocess.DEVNULL, asyncio.futures.STACK_DEBUG
import concurrent.futures as futures, logging
concurrent.futures.Future, subprocess.Popen, logging.Logger
own = futures.FIRST_COMPLETED, futures.FIRST_EXCEPTION, futures.ALL_COMPLETED
own += subprocess.PIPE, subprocess.STDOUT, subprocess.DEVNULL, logging.DEBUG - 1
print(taken == own, late() == sorted(set(ALL) - set(("concurrent.futures", "logging", "subprocess"))))
"""
    assert ran(program) == "True True\n"


@pytest.mark.live
def test_threads_and_programs_that_somebody_wants_after_all_work() -> None:
    program = """
async def main():
    print(await asyncio.to_thread(lambda: 7))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        print(await asyncio.get_running_loop().run_in_executor(pool, lambda: 8))
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(9)", stdout=asyncio.subprocess.PIPE)
    print((await process.communicate())[0].decode().strip(), subprocess.run(["true"]).returncode)
asyncio.run(main())
print(asyncio.run(asyncio.sleep(0, 10)), "subprocess" in late(), "concurrent.futures" in late())
"""
    assert ran(program).splitlines() == ["7", "8", "9 0", "10 False False"]


@pytest.mark.live
def test_what_asyncio_logs_is_logged_and_what_nobody_would_see_loads_nothing() -> None:
    program = """
from asyncio.log import logger
logger.debug("seen by nobody")
print("logging" in late())
logger.warning("a word of %s", "asyncio")
print("logging" in late(), logger.name)
import logging
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(name)s %(message)s", force=True)
logger.debug("seen")
"""
    assert ran(program).splitlines() == ["True", "False asyncio", "asyncio seen"]


@pytest.mark.live
def test_what_cannot_be_logged_for_want_of_descriptors_is_no_trouble() -> None:
    program = """
import logging
from asyncio.log import logger
class Refusing:
    def exec_module(self, module):
        raise OSError(24, "too many open files")
loader, logging.__spec__.loader = logging.__spec__.loader, Refusing()
logger.warning("a word")
print("logging" in late())
logging.__spec__.loader = loader
print(logger.isEnabledFor(30), "logging" in late())
"""
    assert ran(program).splitlines() == ["True", "True False"]


@pytest.mark.live
def test_one_that_cannot_run_now_is_tried_again() -> None:
    program = """
import traceback
loader = traceback.__spec__.loader
class Refusing:
    def exec_module(self, module):
        raise OSError(24, "too many open files")
traceback.__spec__.loader = Refusing()
try:
    traceback.format_exc
except OSError as error:
    print(error.errno, "traceback" in late())
traceback.__spec__.loader = loader
print(callable(traceback.format_exc), "traceback" in late())
"""
    assert ran(program) == "24 True\nTrue False\n"


@pytest.mark.live
def test_threads_that_ask_at_once_all_get_it_whole() -> None:
    program = """
import inspect, threading
sys.setswitchinterval(1e-6)
start, seen = threading.Barrier(8), []
def ask():
    start.wait()
    seen.append(inspect.Signature.empty is inspect._empty and inspect.getsourcelines is not None)
threads = [threading.Thread(target=ask) for _ in range(8)]
for each in threads: each.start()
for each in threads: each.join()
print(seen == [True] * 8, "inspect" in late())
"""
    assert ran(program) == "True False\n"


@pytest.mark.live
def test_the_debug_mode_of_asyncio_tells_where_a_task_was_made() -> None:
    program = """
async def main():
    task = asyncio.create_task(asyncio.sleep(0))
    print("main" in repr(task._source_traceback), "latecomers" in repr(task._source_traceback))
    await task
asyncio.run(main(), debug=True)
"""
    assert ran(program, "-X", "dev").splitlines()[0] == "True False"
