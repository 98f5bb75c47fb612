"""Services that say how they are, sd_notify(3)."""

import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Make
from tests.live.stack import Live, is_alive
from tests.live.test_programs import PROGRAMS
from tests.live.test_rolling import begin_roll
from tests.support.caller import caller
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

AT_ONCE = {"restart_policy": {"delay": 0, "max_restarts": 1000}}


class Speaker:
    """A service that says what a test has it say; the lines in its file are for tests/programs/says.py."""

    def __init__(self, stack: Make, folder: Path, **more: Any) -> None:
        self.file = folder / "told"
        self.file.touch()
        fields = {"command": program("says", str(self.file)), "ready": {"notify": True}, **AT_ONCE, **more}
        self.live: Live = stack({"it": fields})

    def tell(self, *lines: str) -> None:
        with self.file.open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))

    def forget(self) -> None:
        """The next process begins anew."""
        self.file.write_text("")

    def until(self, **facts: Any) -> dict[str, Any]:
        return self.live.until("it", **facts)

    def address(self) -> str:
        """Where it speaks."""
        variables = Path(f"/proc/{self.live.rows()['it']['pid']}/environ").read_bytes().split(b"\0")
        (found,) = [each for each in variables if each.startswith(b"NOTIFY_SOCKET=")]
        return found.decode().partition("=")[2]

    def speak(self, words: bytes, *descriptors: int) -> None:
        """As a stranger."""
        address = self.address()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.connect(f"\0{address[1:]}" if address[0] == "@" else address)
            socket.send_fds(sock, [words], descriptors) if descriptors else sock.send(words)


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_it_is_ready_when_it_says_so_and_its_words_are_shown(stack: Make, own_folders: Path, kind: str) -> None:
    it = Speaker(stack, own_folders, notify_socket=kind)
    with it.live.foreground() as up:
        it.until(state="starting")
        assert it.address().startswith("@" if kind == "abstract" else str(it.live.runtime))
        it.tell("say STATUS=loads")
        it.until(state="starting", status_text="loads")
        it.tell("child READY=1|STATUS=serves")
        it.until(state="running", status_text="serves")
        it.tell("say RELOADING=1|MONOTONIC_USEC=1|STATUS=")
        it.until(state="running", status_text="reloading")
        it.tell("say READY=1")
        it.until(state="running", status_text=None)
        assert {"service says", "service reloads", "service reloaded"} <= {fact["event"] for fact in it.live.journal()}
        up.says("is up")
    assert not list(it.live.runtime.glob("*.notify.sock"))


def test_one_that_never_says_it_is_ready_is_told_so(stack: Make, own_folders: Path) -> None:
    it = Speaker(stack, own_folders, ready={"notify": True, "timeout": "0.5s"}, restart="never")
    up = it.live.run("up", "-d")
    assert up.returncode == 10
    assert "not ready within 0.5 s: it has not said READY=1" in up.stderr


def test_a_silent_service_is_aborted_and_started_again(stack: Make, own_folders: Path) -> None:
    it = Speaker(stack, own_folders, watchdog="1s")
    it.tell("say READY=1")
    with it.live.up():
        first = it.until(state="running")["pid"]
        environment = Path(f"/proc/{first}/environ").read_bytes().split(b"\0")
        assert {b"WATCHDOG_USEC=1000000", b"WATCHDOG_PID=%d" % first} <= set(environment)
        os.kill(first, signal.SIGSTOP)  # it hangs
        row = it.until(restarts=1, state="running")
        assert (row["pid"] == first, is_alive(first)) == (False, False)
        (ended,) = it.live.journal("service restarts")
        assert (ended["why"], ended["exit_code"]) == ("said nothing for 1 s", -signal.SIGABRT)
        it.tell("say WATCHDOG_USEC=0")
        it.tell("say WATCHDOG=trigger")  # which every process of it says from now on
        eventually(lambda: len(it.live.journal("service restarts")) > 1, what="another restart")
        assert it.live.journal("service restarts")[1]["why"] == "said that it hangs"


def test_signs_of_life_keep_it_alive(stack: Make, own_folders: Path) -> None:
    code = r"""
import os, socket, time
sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sock.connect(os.environ["NOTIFY_SOCKET"])
sock.send(b"READY=1")
for number in range(12):
    time.sleep(0.25)
    sock.send(b"WATCHDOG=1\nSTATUS=%d" % number)
sock.send(b"WATCHDOG_USEC=0\nSTATUS=over")
time.sleep(100)
"""
    live = stack({"it": {"command": [sys.executable, "-c", code], "watchdog": "2s", "ready": {"notify": True}}})
    with live.up():
        assert live.until("it", status_text="over")["restarts"] == 0


def test_a_stranger_is_not_believed_and_is_told_of_once(stack: Make, own_folders: Path) -> None:
    it = Speaker(stack, own_folders, notify_socket="abstract")
    with it.live.foreground():
        it.until(state="starting")
        for _ in range(3):
            it.speak(b"READY=1\nSTATUS=hijacked")
        it.tell("say STATUS=me")
        assert it.until(status_text="me")["state"] == "starting"
        (refused,) = it.live.journal("notice refused")
        assert (refused["pid"], refused["service"]) == (os.getpid(), "it")
        it.tell("say READY=1")
        it.until(state="running")


def test_nonsense_floods_and_descriptors_do_no_harm(stack: Make, own_folders: Path) -> None:
    it = Speaker(stack, own_folders)
    it.tell("say READY=1")
    with it.live.up():
        daemon = it.live.daemon()
        it.tell("say no assignment", f"say STATUS={'x' * 5000}", "say MAINPID=1")
        it.tell("say STATUS=still there")
        it.until(status_text="still there", state="running")
        assert len(it.live.journal("notice unreadable")) == 1
        assert [fact["pid"] for fact in it.live.journal("main process refused")] == [1]
        before = len(os.listdir(f"/proc/{daemon}/fd"))
        for number in range(400):
            it.speak(b"FDSTORE=1\nFDNAME=a" if number % 2 else b"\0\xff" * 900, 0, 0, 0)
        listening, barrier = os.pipe()
        it.speak(b"BARRIER=1", barrier)
        os.close(barrier)
        assert os.read(listening, 1) == b"", "it was closed at the other end"
        os.close(listening)
        eventually(lambda: len(os.listdir(f"/proc/{daemon}/fd")) <= before)  # a connection of ours may still be closing
        assert it.live.rows()["it"]["state"] == "running"


def test_one_that_stops_by_itself_is_followed_and_its_policy_decides(stack: Make, own_folders: Path) -> None:
    it = Speaker(stack, own_folders)
    it.tell("say READY=1")
    with it.live.up():
        it.tell("say STOPPING=1|STATUS=says goodbye")
        it.until(state="terminating", status_text="says goodbye")
        it.forget()
        it.tell("say READY=1")
        (pid,) = [fact["pid"] for fact in it.live.journal("service stops itself")]
        os.kill(pid, signal.SIGKILL)
        it.until(state="running", restarts=1)


@pytest.mark.parametrize("way", [(), ("--handoff", "off")], ids=["filtered", "plain"])
def test_another_process_of_its_tree_may_stand_for_it(stack: Make, own_folders: Path, way: tuple[str, ...]) -> None:
    it = Speaker(stack, own_folders)
    it.tell("say READY=1")
    with it.live.up(*way):
        first = it.until(state="running")["pid"]
        it.tell("main")
        row = it.until(status_text=f"heir of {first}")
        heir = row["pid"]
        assert heir != first
        it.tell("orphan")
        eventually(lambda: not is_alive(first))
        it.tell("say STATUS=alone")
        row = it.until(status_text="alone")
        assert (row["pid"], row["state"], row["restarts"]) == (heir, "running", 0)
        it.forget()
        it.tell("say READY=1")
        os.kill(heir, signal.SIGKILL)
        third = it.until(state="running", restarts=1)["pid"]
        assert third not in (first, heir)
        it.tell("main")
        heir = it.until(status_text=f"heir of {third}")["pid"]
        it.tell("orphan")
        eventually(lambda: not is_alive(third))
        assert it.live.do("stop", "it", timeout=5)["it"]["ok"]
        assert not is_alive(heir)
        assert it.live.journal("grace period over") == []


def test_a_rolling_restart_waits_for_the_word_of_the_new_process(stack: Make, own_folders: Path) -> None:
    it = Speaker(stack, own_folders)
    it.tell("say READY=1|STATUS=the old one")
    with it.live.up():
        old = it.until(state="running", status_text="the old one")["pid"]
        it.forget()
        new = begin_roll(it.live, "it")["beside"]["pid"]
        it.tell("say STATUS=the new one")  # the old one has seen as many lines before
        assert it.until(pid=old, state="running")["status_text"] == "the old one"
        it.tell("say READY=1")
        row = it.until(pid=new, beside=None)
        assert (row["state"], row["status_text"], row["restarts"]) == ("running", "the new one", 0)
        assert not is_alive(old)


def test_gunicorn_says_when_it_is_ready_and_no_client_is_refused(stack: Make, own_folders: Path) -> None:
    pytest.importorskip("gunicorn")
    (port,) = free_pool(1)
    command = list(PROGRAMS["gunicorn"].command(own_folders, port))
    live = stack({"web": {"command": command, "pool": [port], "ready": {"notify": True}, **AT_ONCE}})
    with live.up():
        row = live.until("web", state="running", status_text="Gunicorn arbiter booted")
        with caller(port, b"GET / HTTP/1.0\r\n\r\n") as calls:
            os.kill(row["pid"], signal.SIGKILL)
            live.until("web", state="running", restarts=1, status_text="Gunicorn arbiter booted")
            answered = calls.answered
            eventually(lambda: calls.answered > answered + 1)
        if live.rows()["web"]["handoff"] in ("bpf", "sysctl", "swap"):
            assert (calls.refused, calls.late) == (0, 0)
