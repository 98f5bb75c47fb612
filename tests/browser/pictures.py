"""Takes the pictures of docs/: of the page in Chromium, and of the terminal view, with the stack of the tutorial.

    python -m tests.browser.pictures [FOLDER]

The stack has the ports of the tutorial, 8100 and on: in `unshare --net` nobody else has them.
"""

import asyncio
import getpass
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from textual.pilot import Pilot

from supervisor.api.project import Project
from supervisor.tui.app import Top
from tests.browser.looking import FLAGS, Looking, looking
from tests.live.stack import Live
from tests.support.eventually import eventually
from tests.support.needed import need_program
from tests.tui.view import text_of, until
from tests.web.serving import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL = DOCS / "tutorial" / "find-out-why.md"
WIDTH = 1100
HOME = "/home/ada/shop"
RENAME = """pairs => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        for (const [from, to] of pairs) {
            if (walker.currentNode.data.includes(from)) {
                walker.currentNode.data = walker.currentNode.data.replaceAll(from, to);
            }
        }
    }
}"""


def main() -> int:
    """Takes all of them."""
    into = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "pictures"
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="pp") as folder:
        for name in ("runtime", "state"):
            os.environ[f"PORTSUP_{name.upper()}_DIR"] = str(Path(folder) / name)
            (Path(folder) / name).mkdir(mode=0o700)
        live = Live(Path(folder) / "shop", services_of(TUTORIAL), name="shop")
        (live.folder / "index.html").write_text("hello\n")
        stranger = ["python3", "-m", "http.server", "--bind", "127.0.0.1", "8100"]
        thief = subprocess.Popen(stranger, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            eventually(is_taken, within=20, what="the stranger on port 8100")
            live.run("up", "-d")
            drawings = asyncio.run(views(live))
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=need_program("chromium"), args=FLAGS)
                of_page(browser, live, into)
                of_view(browser, drawings, into)
                browser.close()
        finally:
            live.end()
            thief.terminate()
            thief.wait()
    return 0


def is_taken() -> bool:
    """Whether the stranger listens."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", 8100)) == 0


def services_of(page: Path) -> dict[str, object]:
    """The services of the first YAML of a page."""
    found: dict[str, object] = yaml.safe_load(page.read_text().split("```yaml\n")[1].split("```")[0])["services"]
    return found


def of_page(browser: "Browser", live: Live, into: Path) -> None:
    """Those of the page."""
    with served(live, enters=False) as page, looking(browser, page, viewport={"width": WIDTH, "height": 560}) as seen:
        names = [[str(live.folder), HOME], [f"user {getpass.getuser()}", "user ada"]]
        take(seen, "overview", "exit code 1", into / "web-overview.png", until="svg.spark", height=260)
        take(seen, "service/worker", "config.toml: No such file", into / "web-why.png", names=names, height=560)
        take(seen, "ports", "taken", into / "web-ports.png", names=names, height=220)
        seen.to("logs")
        seen.page.fill("[data-filter]", "GET|No such")
        seen.until(lambda: "config.toml" in seen.page.inner_text(".log"), "the lines")
        seen.page.screenshot(path=into / "web-logs.png", clip={"x": 0, "y": 0, "width": WIDTH, "height": 300})


def take(
    seen: Looking, place: str, words: str, path: Path, *, until: str = "", names: Sequence[Sequence[str]] = (),
    height: int = 430,
) -> None:  # fmt: skip
    """A picture of one screen, once it shows the words."""
    seen.to(place)
    seen.sees(words)
    if until:
        seen.page.wait_for_selector(until)
    seen.page.evaluate(RENAME, names)
    seen.page.screenshot(path=path, clip={"x": 0, "y": 0, "width": WIDTH, "height": height})


def of_view(browser: "Browser", drawings: dict[str, str], into: Path) -> None:
    """Those of the terminal view."""
    page = browser.new_page(viewport={"width": 1000, "height": 700})
    for name, drawing in drawings.items():
        page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block; width: 1000px }}</style>{drawing}")
        page.locator("svg").first.screenshot(path=into / f"{name}.png")


async def views(live: Live) -> dict[str, str]:
    """The terminal view, as Textual draws it."""
    top = Top(Project(str(live.folder)))
    found: dict[str, str] = {}

    async def keep(pilot: Pilot[None], name: str, words: str) -> None:
        await until(pilot, lambda: words in text_of(top))
        await pilot.pause(0.5)
        drawn = top.export_screenshot(title="portsup top")
        for name_here, name_there in ((str(live.folder), HOME), (f"user&#160;{getpass.getuser()}", "user&#160;ada")):
            drawn = drawn.replace(name_here, name_there)
        found[name] = drawn

    async with top.run_test(size=(80, 24)) as pilot:
        await pilot.resize_terminal(80, 12)
        await until(pilot, lambda: "%" in text_of(top), within=30)
        await keep(pilot, "top-overview", "exit code 1")
        await pilot.resize_terminal(80, 24)
        await pilot.press("w")
        await keep(pilot, "top-why", "No such file")
        await pilot.press("escape", "t")
        await pilot.resize_terminal(80, 16)
        await keep(pilot, "top-timeline", "since the last start")
    return found


if __name__ == "__main__":
    raise SystemExit(main())
