"""What the page shows is what is: through changes at random, and through the death of each of those between."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supervisor.errors import PortsupError
from tests.browser.looking import Looking, looking
from tests.live.stack import SLEEPS, Live
from tests.web.serving import Served, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.live

SECONDS = float(os.environ.get("RANDOM_SECONDS", "10"))
DIES = {"command": ["sh", "-c", "sleep 0.3; exit 3"], "restart_policy": {"max_restarts": 2}}


@pytest.fixture
def live(own_folders: Path) -> Iterator[Live]:
    stack = Live(own_folders / "p", {"a": SLEEPS, "b": {**SLEEPS, "depends_on": ["a"]}, "c": SLEEPS, "dies": DIES})
    stack.run("up", "-d")
    yield stack
    stack.end()


@pytest.fixture
def page(live: Live) -> Iterator[Served]:
    with served(live, enters=False) as running:
        yield running


def told(live: Live) -> dict[str, dict[str, str]]:
    """What `status --format json` says, in the words of the page."""
    return {
        name: {
            "state": row["state"],
            "port": str(row["port"] or ""),
            "health": "" if row["health"] == "none" else row["health"],
            "restarts": str(row["restarts"] or ""),
        }
        for name, row in live.rows().items()
    }


def test_the_page_equals_the_status_while_the_stack_changes_at_random(
    browser: "Browser", live: Live, page: Served
) -> None:
    chance = random.Random()
    with looking(browser, page) as seen:
        seen.to("overview")
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            what, name = chance.choice(["start", "stop", "restart", "kill"]), chance.choice(["a", "b", "c", "dies"])
            with contextlib.suppress(PortsupError):  # one that has no process cannot be killed
                if what == "kill":
                    live.client().ask("kill", services=[name], signal=9)
                else:
                    live.do(what, name)
            seen.until(lambda: (now := told(live)) and seen.rows() == now, f"the same after {what} {name}")


def test_the_death_of_the_daemon_is_told_and_its_return(browser: "Browser", live: Live, page: Served) -> None:
    with looking(browser, page) as seen:
        seen.to("overview")
        seen.until(lambda: seen.rows().get("a", {}).get("state") == "running")
        os.kill(live.daemon(), signal.SIGKILL)
        seen.sees("The stack does not run: portsup ended without a word, as after SIGKILL")
        assert seen.page.inner_text("main.stale tr[data-service=a] .state").split() == ["was", "running"]
        live.ended()
        seen.tab_to("Start the stack")
        seen.keys("Enter")
        live.until("a", state="running")
        seen.until(lambda: not seen.page.query_selector("main.stale") and seen.rows()["a"]["state"] == "running")


def test_a_daemon_that_is_stopped_for_a_while_is_told_and_that_it_goes_on(
    browser: "Browser", live: Live, page: Served
) -> None:
    """In the same run: what it tells then is only what has changed meanwhile."""
    with looking(browser, page) as seen:
        seen.to("overview")
        seen.until(lambda: seen.rows().get("a", {}).get("state") == "running")
        daemon = live.daemon()
        os.kill(daemon, signal.SIGSTOP)
        try:
            seen.sees("The stack does not run", within=60)
        finally:
            os.kill(daemon, signal.SIGCONT)
        seen.until(lambda: not seen.page.query_selector("main.stale"), "a live page", within=60)
        assert "The stack does not run" not in seen.page.inner_text("body")
        assert seen.page.inner_text("tr[data-service=a] .state").split()[-1] == "running"


# Each answer comes late, so that others are asked for before it is there.
LATE = """() => {
    const plain = window.fetch;
    window.asked = [];
    window.fetch = async (what, how) => {
        const name = String(what).replace(/^.api.|[?].*$/g, "");
        window.asked.push(name);
        const answer = await plain(what, how);
        if (name === "events" || name === "why") await new Promise((go) => setTimeout(go, 700));
        return answer;
    };
}"""
MOMENTS = "items => items.map(item => item.querySelector('time').title + item.textContent)"


def test_what_is_asked_again_while_an_answer_is_late_comes_once(browser: "Browser", live: Live, page: Served) -> None:
    with looking(browser, page) as seen:
        seen.until(lambda: "a" in seen.rows())
        seen.page.evaluate(LATE)
        seen.page.evaluate("location.hash = '#/timeline'")
        for what in ("stop", "start", "restart"):
            live.do(what, "c")
        live.until("c", state="running")
        last = live.client().ask("status", services=["c"])["services"][0]["pid"]

        def listed() -> list[str]:
            return list(seen.page.eval_on_selector_all("ol.story li", MOMENTS))

        seen.until(lambda: any(f"pid {last}" in each for each in listed()), f"the start of pid {last}")
        assert len(listed()) == len(set(listed()))
        seen.page.evaluate("location.hash = '#/service/c'")
        seen.sees("Nothing has gone wrong")
        before = seen.page.evaluate("window.asked.filter(name => name === 'graph').length")
        for _ in range(5):
            live.do("restart", "a")
        seen.until(lambda: "why" in seen.page.evaluate("window.asked"))
        assert seen.page.evaluate("window.asked.filter(name => name === 'graph').length") == before


def test_the_death_of_the_server_is_told_and_no_login_is_needed_after_it(browser: "Browser", live: Live) -> None:
    with served(live, enters=False) as first, looking(browser, first) as seen:
        seen.to("overview")
        seen.until(lambda: "a" in seen.rows())
        first.process.kill()
        first.process.wait(20)
        seen.sees("The server of this page does not answer")
        assert seen.page.query_selector("main.stale tr[data-service=a]")
        with served(live, ports=str(first.port), enters=False):
            seen.until(lambda: not seen.page.query_selector("main.stale"))
            live.do("stop", "c")
            seen.until(lambda: seen.rows()["c"]["state"] == "stopped")


def test_a_network_that_fails_is_told(browser: "Browser", live: Live, page: Served) -> None:
    with looking(browser, page) as seen:
        seen.to("overview")
        seen.until(lambda: "a" in seen.rows())
        seen.context.set_offline(True)
        seen.sees("The server of this page does not answer")
        live.do("stop", "c")
        seen.context.set_offline(False)
        seen.until(lambda: seen.rows()["c"]["state"] == "stopped" and not seen.page.query_selector("main.stale"))


def test_two_windows_and_a_read_only_one_say_the_same(browser: "Browser", live: Live, page: Served) -> None:
    with (
        looking(browser, page) as one,
        served(live, "--read-only", enters=False) as only,
        looking(browser, only) as two,
    ):
        for each in (one, two):
            each.to("overview")
            each.until(lambda each=each: each.rows() == told(live))  # type: ignore[misc]
        assert two.page.query_selector("button:has-text('Restart')") is None
        live.do("stop", "c")
        for each in (one, two):
            each.until(lambda each=each: each.rows()["c"]["state"] == "stopped")  # type: ignore[misc]


def test_a_used_link_does_not_log_in_another_browser(browser: "Browser", page: Served) -> None:
    with looking(browser, page) as seen:
        assert page.key not in seen.page.url
        context = browser.new_context()
        other = context.new_page()
        other.goto(page.link)
        other.wait_for_selector("text=this link has been used")
        assert context.cookies() == []
        context.close()


def test_the_page_is_live_on_a_machine_without_a_network(browser: "Browser", page: Served) -> None:
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(navigator, 'onLine', { get: () => false })")
    try:
        seen = Looking(context, context.new_page(), page)
        seen.enter(page.link)
        seen.sees("Restart")  # which only a page has that is live
        seen.page.evaluate("dispatchEvent(new Event('offline'))")  # as when somebody leaves the network
        seen.until(lambda: "does not answer since" not in seen.page.inner_text("body"), "a live page again")
    finally:
        context.close()
