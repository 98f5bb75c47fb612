"""What services print, whole lines or not: in their logs, and as the sign that they are ready."""

import pytest

from tests.live.conftest import Make, in_both_ways
from tests.support.eventually import eventually

pytestmark = pytest.mark.live


@in_both_ways
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_the_last_words_of_a_process_and_the_first_of_the_next_are_two_lines(stack: Make, stream: str) -> None:
    """Those of one that ended by itself, and of one that was asked to."""
    redirect = "" if stream == "stdout" else " >&2"
    script = f"printf 'begins\\nlast words'{redirect}; test -e again && exec sleep 1000; touch again; exit 3"
    live = stack({"web": {"command": ["sh", "-c", script], "restart_policy": {"delay": 0}}})
    with live.up():
        live.until("web", state="running", restarts=1)
        live.do("restart", "web")
        eventually(lambda: live.log("web").count("begins") == 3)
        assert live.log("web") == "begins\nlast words\nbegins\nlast words\nbegins\n"
        lines = live.run("logs", "--no-prefix").stdout.splitlines()
        assert lines == ["begins", "last words", "begins", "last words", "begins"]


PRINTS = {
    "without a newline": "printf 'server ready'",
    "in colours": r"printf '\033[1mserver\033[0m \033[32mready\033[0m\n'",
    "after a carriage return": r"printf 'starting 50%%\rserver ready'",
    "on stderr, piece by piece": "printf server >&2; printf ' ' >&2; sleep 0.1; printf ready >&2",
}


@in_both_ways
@pytest.mark.parametrize("how", PRINTS)
def test_a_line_is_the_sign_of_being_ready_however_it_is_printed(stack: Make, how: str) -> None:
    command = ["sh", "-c", f"{PRINTS[how]}; exec sleep 1000"]
    live = stack({"web": {"command": command, "ready": {"log": "^server ready$"}}})
    with live.up():
        assert live.rows()["web"]["state"] == "running"


PROGRESS = r"echo begins; printf '\033[31mloading\033[0m 50%%\r\033[Kloading 60%%'"


@pytest.mark.parametrize(
    ("prints", "told"),
    [
        (PROGRESS, "the last one is `loading 60%`"),
        ("echo my password-1234; echo", "the last one is `my ***`"),
        (":", "it has printed none"),
    ],
)
def test_a_timeout_names_the_pattern_and_the_last_line(stack: Make, prints: str, told: str) -> None:
    command = ["sh", "-c", f"{prints}; exec sleep 1000"]
    ready = {"log": "server (is|was) ready", "timeout": "1s"}
    environment = {"WEB_PASSWORD": "password-1234"}
    live = stack({"web": {"command": command, "restart": "never", "ready": ready, "environment": environment}})
    up = live.run("up", "-d")
    assert up.returncode == 10
    assert f"not ready within 1 s: no line matches `server (is|was) ready`; {told}" in up.stderr
