"""What a portsup that was killed has left is named on the page, and removed from there."""

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.looking import looking
from tests.live.stack import SLEEPS, Live, is_alive, parent_of
from tests.support.eventually import eventually
from tests.web.serving import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.live

FORGETFUL = "env -i setsid sleep 1000 & echo $! >left; exec sleep 1000"  # its environment does not tell whose it is


def test_a_process_whose_environment_tells_no_service_is_named_by_its_stack(browser: "Browser", folders: Path) -> None:
    killed = Live(folders / "k", {"web": {"command": ["sh", "-c", FORGETFUL]}}, name="shop")
    stack = Live(folders / "p", {"web": SLEEPS})
    stack.run("up", "-d")
    try:
        killed.run("up", "-d")
        told = killed.folder / "left"
        left = int(eventually(lambda: told.read_text() if told.exists() else "", what="its pid"))
        eventually(lambda: os.getsid(left) == left)
        daemon = next(info.owner.pid for info in killed.infos() if info.stack == "shop")
        guardian = parent_of(daemon)
        os.kill(guardian, signal.SIGSTOP)
        for pid in (daemon, guardian):
            os.kill(pid, signal.SIGKILL)
        with served(stack, enters=False) as page, looking(browser, page) as seen:
            seen.to("machine")
            seen.sees(f"process {left} sleep of stack shop")
            seen.page.click("text=Clean up…")
            seen.sees(f"end process {left} sleep of stack shop")
            seen.page.click("dialog[open] button:has-text('Clean up')")
            seen.sees("Nothing.")
            eventually(lambda: not is_alive(left))
    finally:
        stack.end()
