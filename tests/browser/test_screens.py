"""Every screen: clean for axe-core in both sizes and colours, and usable by keyboard alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.looking import SIZES, Looking, looking
from tests.live.stack import SLEEPS, Live
from tests.support.needed import need
from tests.support.ports import free_pool
from tests.web.serving import Served, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.live

AXE = Path(__file__).parents[2] / "build/npm/node_modules/axe-core/axe.min.js"
LONG = "n" * 60  # as long as a name may be, nearly
SCREENS = [
    f"service/{LONG}",
    f"logs?services={LONG}",
    "overview",
    "logs",
    "logs?grep=line&context=1",
    "service/broken",
    "service/web",
    "ports",
    "timeline",
    "machine",
]
SERVER = {"command": ["python3", "-m", "http.server", "--bind", "127.0.0.1", "{port}"]}
LATE_STARTS = """() => {
    const own = fetch;
    window.fetch = async (...asked) => {
        if (String(asked[0]).includes("/api/starts")) await new Promise((go) => setTimeout(go, 1500));
        return own(...asked);
    };
}"""
BROKEN = "cat config.toml && exec sleep 1000"
MARKUP = "<img src=x onerror=alert(1)> \x1b[31mred\x1b[0m \x1b]0;title\x07 <script>alert(2)</script>"
SHOWN = ".line:not([hidden]) span"
TURNED = "user \u202enimda\u202c logged \u2067in"


@pytest.fixture(scope="module")
def live(folders: Path) -> Iterator[Live]:
    pool = free_pool(3)
    stack = Live(folders / "p", {
        "db": SLEEPS,
        LONG: SLEEPS,
        "web": {**SERVER, "pool": f"{pool[0]}-{pool[-1]}", "depends_on": ["db"]},
        "chatty": {"command": ["sh", "-c", "cat printed; exec sleep 1000"]},
        "broken": {"command": ["sh", "-c", BROKEN], "restart": "never", "ready": {"log": "port"}},
    })  # fmt: skip
    (stack.folder / "printed").write_text(f"INFO line 1\nERROR line 2\n{MARKUP}\n{TURNED}\n")
    stack.run("up", "-d")
    yield stack
    stack.end()


@pytest.fixture(scope="module")
def page(live: Live) -> Iterator[Served]:
    with served(live, enters=False) as running:
        yield running


@pytest.fixture(scope="module")
def seen(browser: "Browser", page: Served) -> Iterator[Looking]:
    with looking(browser, page) as one:
        yield one


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_axe_finds_nothing(seen: Looking, mode: Any, size: tuple[int, int]) -> None:
    need(AXE.exists(), "`axe-core`", "`sh .ci/setup.sh stack,dev` installs it")
    seen.page.set_viewport_size({"width": size[0], "height": size[1]})
    seen.page.emulate_media(color_scheme=mode)
    found: dict[str, Any] = {}
    for screen in SCREENS:
        seen.to(screen)
        seen.page.wait_for_selector("h1")
        seen.page.get_by_text("Connecting").first.wait_for(state="hidden")
        seen.page.wait_for_timeout(300)
        seen.page.evaluate(AXE.read_text())
        told = seen.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        wrong = [(each["id"], [node["html"][:150] for node in each["nodes"]][:3]) for each in told["violations"]]
        if wrong:
            found[screen] = wrong
        wide = seen.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            found[f"{screen} is wider than the window"] = wide
    assert found == {}, json.dumps(found, indent=1)
    seen.page.set_viewport_size({"width": 1440, "height": 900})


def test_what_a_program_prints_is_text_and_nothing_else(seen: Looking) -> None:
    seen.to("logs?services=chatty")
    seen.sees("<img src=x onerror=alert(1)> red  <script>alert(2)</script>")
    seen.sees("user nimda logged in")
    assert seen.page.query_selector(".log img, .log script") is None


def test_lines_are_found_by_what_somebody_types_and_by_their_level(seen: Looking) -> None:
    seen.to("overview")
    seen.to("logs?services=chatty")
    seen.sees("INFO line 1")
    seen.keys("/")
    seen.page.keyboard.type("LINE [2]")
    seen.sees("1 match")
    seen.until(lambda: [each.inner_text() for each in seen.page.query_selector_all(".log mark")] == ["line 2"])
    seen.page.select_option("label:has-text('Around') select", "1")
    seen.sees("INFO line 1")
    seen.page.check("label:has-text('case matters') input")
    seen.sees("0 matches")
    seen.page.fill("[data-filter]", "")
    seen.page.select_option("label:has-text('Level') select", "error")
    seen.sees("1 match")
    seen.sees("ERROR line 2")
    seen.page.select_option("label:has-text('Around') select", "0")
    seen.until(lambda: [each.inner_text() for each in seen.page.query_selector_all(SHOWN)] == ["ERROR line 2"])


def test_the_line_between_two_processes_is_there_also_where_it_is_known_later_than_the_lines(
    live: Live, seen: Looking
) -> None:
    live.client().ask("kill", services=["chatty"], signal=9)
    live.until("chatty", state="running", restarts=1)
    seen.to("overview")
    seen.page.evaluate(LATE_STARTS)
    seen.to("logs?services=chatty")
    seen.sees("8 lines")
    assert seen.page.query_selector(".line.start") is None
    seen.page.wait_for_selector(".line.start")


def test_a_newcomer_finds_and_mends_a_crash_by_keyboard_alone(live: Live, seen: Looking) -> None:
    seen.to("overview")
    seen.until(lambda: next(iter(seen.rows().items()), ("", {"state": ""}))[0] == "broken", "the broken one on top")
    seen.keys("j")
    seen.keys("w")
    seen.sees("What to do next")
    seen.sees("cat: config.toml: No such file or directory")
    (live.folder / "config.toml").write_text("port = 1\n")
    seen.keys("s")
    seen.sees("Start: broken done")
    seen.keys("v")
    seen.until(lambda: seen.rows().get("broken", {}).get("state") == "running", "broken runs")


def test_stopping_what_others_need_asks_and_names_them(live: Live, seen: Looking) -> None:
    seen.to("overview")
    seen.until(lambda: "db" in seen.rows())
    seen.tab_to("More for db")
    seen.keys("Enter")
    seen.tab_to("Stop")
    seen.keys("Enter")
    seen.sees("Others need it: web")
    seen.keys("Escape")
    assert live.rows()["db"]["state"] == "running"
    seen.tab_to("More for db")
    seen.keys("Enter")
    seen.tab_to("Stop")
    seen.keys("Enter")
    seen.tab_to("Stop it all the same")
    seen.keys("Enter")
    live.until("db", state="stopped")
    seen.until(lambda: seen.rows()["db"]["state"] == "stopped")
    assert live.rows()["web"]["state"] == "running"
    seen.tab_to("Start db", backwards=True)
    seen.keys("Enter")
    live.until("db", state="running")
    seen.until(lambda: seen.rows()["db"]["state"] == "running")


def test_a_reload_shows_the_difference_first(live: Live, seen: Looking) -> None:
    text = (live.folder / "services.yaml").read_text()
    (live.folder / "services.yaml").write_text(f"{text}  extra:\n    command: [sleep, '1000']\n")
    seen.to("overview")
    seen.tab_to("Reload…")
    seen.keys("Enter")
    seen.sees("+ extra")
    assert "extra" not in live.rows()
    seen.until(lambda: "done" not in seen.page.inner_text(".jobs"), "no word of what is not done yet")
    seen.tab_to("Reload")
    seen.keys("Enter")
    live.until("extra", state="running")
    seen.until(lambda: seen.rows().get("extra", {}).get("state") == "running")


def test_a_port_that_is_taken_is_told_with_its_holder(live: Live, seen: Looking) -> None:
    port = live.rows()["web"]["pool"][0]["port"]
    seen.to(f"ports?port={port}")
    seen.sees("What became of port")
    seen.sees("web is ready on port")


def test_an_event_leads_to_its_lines(seen: Looking) -> None:
    seen.to("timeline")
    seen.sees("chatty runs")
    seen.page.locator("li", has_text="chatty runs").first.locator("a").focus()
    seen.keys("Enter")
    seen.page.wait_for_url("**#/logs?services=chatty*")
    seen.sees("INFO line 1")
