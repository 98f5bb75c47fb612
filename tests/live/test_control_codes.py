"""Services that print control codes, looked at in a terminal: it stays as it was, and the codes stay in the files."""

import json
import sys

import pytest

from tests.live.conftest import Make
from tests.live.stack import Live
from tests.live.terminal import Terminal

pytestmark = pytest.mark.live

CODES = "\x1bc\x1b[?1049h\x1b[2J\x1b]0;title\x07\x1bPq\x1b\\\x9b2J\b\x07"
COLOURED = "\x1b[35mviolet"
PRINTS = f"""\
import sys, time
print({CODES!r} + "begins", flush=True)
print({COLOURED!r}, flush=True)
sys.stdout.buffer.write(b"\\x9b3J8-bit text\\n")
sys.stdout.flush()
"""
SPOILED = ("\x1bc", "\x1b[?1049h", "\x1b]0;", "\x1bP", "\x9b", "\b", "\x07")


def stack_of(stack: Make, end: str, ready: str) -> Live:
    command = [sys.executable, "-X", "utf8", "-c", PRINTS + end]
    return stack(
        {
            "web": {"command": command, "restart": "never", "ready": {"log": ready}},
            "other": {"command": ["sleep", "1000"]},
        }
    )


def check(terminal: Terminal) -> None:
    assert [code for code in SPOILED if code in terminal.text] == []


def test_up_in_a_terminal_shows_text_and_colours_only(stack: Make) -> None:
    with Terminal(stack_of(stack, "time.sleep(1000)", "begins"), "--color", "always", "up") as up:
        up.says("begins")
        up.says("8-bit")
        up.says("\x1b[35mviolet\x1b[0m")
        up.says("is up")
        up.press(b"\x03")
        assert up.ends() == 0
        check(up)


def test_logs_and_why_and_what_quotes_output_do_so_too_and_json_tells_all(stack: Make) -> None:
    live = stack_of(stack, "sys.exit(3)", "never")
    with Terminal(live, "up", "-d") as up:
        assert up.ends() == 10
        assert "| begins" in up.text, "quoted"
        check(up)
    with Terminal(live, "--color", "always", "logs", "-f", "web") as logs:
        logs.says("begins")
        logs.says("\x1b[35mviolet\x1b[0m")
        logs.press(b"\x03")
        assert logs.ends() == 130
        check(logs)
    with Terminal(live, "logs", "--color", "never") as logs:
        assert logs.ends() == 0
        assert "violet\n" in logs.text
        assert "\x1b[35m" not in logs.text
    with Terminal(live, "why", "web") as why:
        assert why.ends() == 0
        assert "| begins" in why.text
        check(why)
    lines = [json.loads(line) for line in live.run("logs", "web", "--json").stdout.splitlines()]
    assert [line["message"] for line in lines[:2]] == [f"{CODES}begins", COLOURED]
    log = (live.state / "t-1" / "web.log").read_bytes()
    assert log == f"{CODES}begins\n{COLOURED}\n".encode() + b"\x9b3J8-bit text\n"


def test_what_a_service_says_of_itself_is_no_code_either(stack: Make) -> None:
    says = f"import os, socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); " \
           f"s.sendto(('READY=1\\nSTATUS=' + {CODES!r} + 'well').encode(), os.environ['NOTIFY_SOCKET'])"  # fmt: skip
    live = stack({"web": {
        "command": [sys.executable, "-c", f"{says}\nimport time; time.sleep(1000)"], "ready": {"notify": True},
    }})  # fmt: skip
    with live.up(), Terminal(live, "status", "--format", "wide") as status:
        assert status.ends() == 0
        assert "well" in status.text
        check(status)
