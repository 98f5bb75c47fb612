"""How the page's server ends: with its stack where that was asked for, and by a signal."""

import signal
from pathlib import Path

import pytest

from tests.live.stack import SLEEPS, Live
from tests.web.serving import served

pytestmark = pytest.mark.live


def test_it_ends_with_its_stack(own_folders: Path) -> None:
    live = Live(own_folders / "p", {"job": SLEEPS})
    live.run("up", "-d")
    try:
        with served(live, "--with-stack", enters=False) as page:
            assert page.link.startswith("the page of this stack: http://127.0.0.1:")
            live.run("down")
            assert page.process.wait(20) == 0
    finally:
        live.end()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_ends_it_and_leaves_nothing_of_its_port(own_folders: Path, name: str) -> None:
    live = Live(own_folders / "p", {"job": SLEEPS})  # which need not run
    number = getattr(signal, name)
    with served(live, enters=False) as page:
        record = live.runtime / "ports" / f"{page.port}.json"
        assert record.read_text().strip()
        page.process.send_signal(number)
        assert page.process.wait(20) == 128 + number
        assert record.read_text().strip() == ""
