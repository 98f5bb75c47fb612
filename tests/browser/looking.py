"""What a person at a browser sees of a stack, and does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.support.eventually import eventually
from tests.web.serving import Served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SIZES = [(360, 740), (1440, 900)]
_ROWS = """rows => rows.map(row => [row.dataset.service, {
    state: row.querySelector('[data-state]').dataset.state,
    port: row.querySelector('[data-label=Port]').textContent.split(' ')[0],
    health: row.querySelector('[data-label=Health]').textContent,
    restarts: row.querySelector('[data-label=Restarts]').textContent,
}])"""


class Looking:
    """A page that has logged in; it must neither complain nor ask anybody else for anything."""

    def __init__(self, context: "BrowserContext", page: "Page", served: Served) -> None:
        self.context = context
        self.page = page
        self.served = served
        self.complaints: list[str] = []
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._heard(message.text) if message.type == "error" else None)
        page.on("request", lambda request: self._asked(request.url))

    def enter(self, link: str) -> None:
        self.page.goto(link)
        self.page.wait_for_selector("#content")

    def to(self, place: str) -> None:
        self.page.goto(f"{self.served.base}/#/{place}")

    def rows(self) -> dict[str, dict[str, Any]]:
        """What the Overview says of each service."""
        return dict(self.page.eval_on_selector_all("tr[data-service]", _ROWS))

    def sees(self, text: str, within: float = 20.0) -> None:
        self.until(lambda: text in self.page.inner_text("body"), f"the words {text!r}", within)

    def until(self, check: Callable[[], Any], what: str = "", within: float = 20.0) -> None:
        eventually(check, within=within, what=what)

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, name: str, backwards: bool = False) -> None:
        """Goes there by Tab, as those do who have no mouse."""
        for _ in range(120):
            self.keys("Shift+Tab" if backwards else "Tab")
            about = self.page.evaluate("(e => e.getAttribute('aria-label') || e.textContent)(document.activeElement)")
            if about.strip() == name:
                return
        raise AssertionError(f"no Tab leads to {name!r}")

    def _heard(self, text: str) -> None:
        if "Failed to load resource" not in text and "net::ERR" not in text:  # of a server that was ended
            self.complaints.append(text)

    def _asked(self, url: str) -> None:
        if not url.startswith(self.served.base) and not url.startswith(("data:", "blob:")):
            self.complaints.append(f"asks {url}")


@contextmanager
def looking(browser: "Browser", served: Served, **how: Any) -> Iterator[Looking]:
    """A browser of its own that has opened the link."""
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **how})
    try:
        seen = Looking(context, context.new_page(), served)
        seen.enter(served.link)
        yield seen
        assert seen.complaints == []
    finally:
        context.close()
