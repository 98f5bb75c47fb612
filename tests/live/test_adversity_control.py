"""The control socket under programs that mean no good, or have a leak: a stack never ends by what is asked of it."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.live.stack import SLEEPS, STUBBORN, Live
from tests.support.eventually import eventually
from tests.support.running import PROGRAMS

pytestmark = pytest.mark.live


class Limited(Live):
    """A project whose `portsup` may open few files."""

    files = 100

    def command(self, *words: str) -> list[str]:
        return ["sh", "-c", f'ulimit -n {self.files}; exec "$@"', "sh", *super().command(*words)]


def connected(stack: Live, seconds: float = 5.0) -> socket.socket:
    """A connection to the control socket that nothing was said on."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(seconds)
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection.connect(str(stack.runtime / "t-1.sock"))
            return connection
        except BlockingIOError:  # the daemon has not accepted the last hundred yet
            assert time.monotonic() < deadline
            time.sleep(0.01)


def asked(stack: Live, line: bytes) -> dict[str, Any]:
    """The first line that answers."""
    with connected(stack) as connection:
        connection.sendall(line)
        with connection.makefile("rb") as lines:
            answer: dict[str, Any] = json.loads(lines.readline())
    return answer


def test_a_number_that_no_float_can_hold_is_refused_and_the_stack_goes_on(tmp_path: Path) -> None:
    stack = Live(tmp_path, {"web": SLEEPS})
    with stack.up():
        pid = stack.until("web", state="running")["pid"]
        for do in ("restart", "stop"):
            answer = asked(stack, b'{"v":1,"do":"%s","services":["web"],"timeout":1%s}\n' % (do.encode(), b"0" * 400))
            assert (answer["ok"], answer["error"]["exit_code"]) == (False, 2), answer
        assert stack.rows()["web"]["pid"] == pid


def test_connections_that_say_nothing_keep_nobody_from_asking(tmp_path: Path) -> None:
    stack = Live(tmp_path, {"web": SLEEPS})
    with stack.up():
        idle = [connected(stack) for _ in range(600)]
        assert stack.run("status", within=10).returncode == 0
        assert stack.run("down", within=10).returncode == 0
        for connection in idle:
            connection.close()


def test_a_watcher_outlives_connections_that_say_nothing(tmp_path: Path) -> None:
    stack = Live(tmp_path, {"web": SLEEPS})
    with stack.up():
        watching = stack.client().watch()
        next(watching)
        idle = [connected(stack) for _ in range(600)]
        stack.do("restart", "web")
        assert next(watching)
        for connection in idle:
            connection.close()


def test_a_daemon_that_is_out_of_descriptors_goes_on_and_answers_again_later(tmp_path: Path) -> None:
    stack = Limited(tmp_path, {"web": SLEEPS})
    with stack.up():
        pid = stack.until("web", state="running")["pid"]
        idle = [connected(stack) for _ in range(150)]
        time.sleep(0.3)  # accepting fails meanwhile, which is all that this test is about
        for connection in idle:
            connection.close()
        eventually(lambda: stack.rows().get("web", {}).get("pid") == pid, within=10)
        assert stack.run("down", within=10).returncode == 0


@pytest.mark.parametrize("again", ["start", "restart"])
def test_a_stop_that_somebody_undoes_returns_and_says_so(tmp_path: Path, again: str) -> None:
    stack = Live(tmp_path, {"web": {**STUBBORN, "stop_grace_period": "1s"}})
    with stack.up(), ThreadPoolExecutor() as other:
        stopping = other.submit(stack.do, "stop", "web")
        stack.until("web", state="terminating")
        assert stack.do(again, "web")["web"]["ok"]
        result = stopping.result(timeout=10)["web"]
        assert (result["ok"], result["words"]) == (False, "restarted meanwhile")


class Broken(Live):
    """A project whose `portsup` has a mistake in it."""

    def command(self, *words: str) -> list[str]:
        python, _, _, *others = super().command(*words)
        return [python, str(PROGRAMS / "breaks_answers.py"), *others]


def test_a_mistake_of_ours_in_an_answer_ends_no_service(tmp_path: Path) -> None:
    stack = Broken(tmp_path, {"web": {**SLEEPS, "environment": {"API_PASSWORD": "password-1234"}}})
    with stack.up():
        for words in (["status"], ["env"], ["status", "web"]):
            done = stack.run(*words)
            why = f"cannot answer `{words[0]}`: internal error of portsup: ValueError: *** is not in list"
            assert (done.returncode, why in done.stderr, "the services go on" in done.stderr) == (70, True, True), done
        assert stack.run("ls").stdout.count("services.yaml") == 1
        (told, *_) = stack.journal("mistake in portsup")
        assert (told["error"], told["level"]) == ("ValueError('*** is not in list')", "error")
        assert told["where"].startswith("breaks_answers.py:9 break_down < statuses.py:")
        assert stack.run("stop", "web").returncode == 0
        assert stack.run("start", "web").returncode == 0


def test_a_mistake_of_ours_in_a_change_ends_no_service(tmp_path: Path) -> None:
    stack = Broken(tmp_path, {"web": SLEEPS})
    with stack.up():
        done = stack.run("restart", "web")
        why = "cannot finish `restart`: internal error of portsup: ValueError: password-1234 is not in list"
        assert (done.returncode, why in done.stderr, "the services go on" in done.stderr) == (70, True, True), done
        assert stack.run("stop", "web").returncode == 0
