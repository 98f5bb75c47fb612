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
