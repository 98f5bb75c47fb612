"""Scrolls the page of `portsup web` in Chromium, with 200 services and a million log lines, and measures each frame.

    python -m benchmarks.frames [--frames N]

Each way to scroll gets two figures: the time from one frame to the next on the clock, which a busy machine makes
longer, and the processor time of the page's main thread between two frames (script, style, layout and paint, as
Chromium's trace has them), which it does not.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.figures import machine
from tests.browser.looking import FLAGS, Looking, looking
from tests.live.stack import SLEEPS, Live
from tests.support.needed import need_program
from tests.web.serving import served

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession

LINES = 1_000_000
MOST = 50.0  # ms of a frame
WAYS = {
    "200 services, a wheel's step each frame": ("overview", "html", "(at) => (at % 40 < 20 ? 240 : -240)"),
    "the log, a wheel's step each frame": ("logs?services=long", ".log", "() => -160"),
    "the log, a page each frame": ("logs?services=long", ".log", "() => -700"),
    "the log, from end to end each frame": ("logs?services=long", ".log", "(at) => (at % 2 ? 1 : -1) * 9_000_000"),
}
SCROLL = """async ([selector, by, frames]) => {
    const box = document.querySelector(selector);
    const times = [];
    let before = await new Promise(requestAnimationFrame);
    for (let at = 0; at < frames; at += 1) {
        box.scrollTop += by(at);
        const now = await new Promise(requestAnimationFrame);
        times.push(now - before);
        before = now;
    }
    return times;
}"""
CATEGORIES = "devtools.timeline,disabled-by-default-devtools.timeline"


def main() -> int:
    """Prints the figures; 1 where a frame took more processor time than a frame may last."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.frames", description=__doc__.split("\n")[0])
    parser.add_argument("--frames", type=int, default=300, metavar="N", help="for each way to scroll; default: 300")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    folder = Path(tempfile.mkdtemp(prefix="pf"))
    try:
        live = stack_in(folder)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=need_program("chromium"), args=FLAGS)
                with served(live, enters=False) as page, looking(browser, page) as seen:
                    print(f"{machine()}, Chromium {browser.version}, {options.frames} frames each\n")
                    worst = max(measured(seen, name, options.frames) for name in WAYS)
                browser.close()
        finally:
            live.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if worst > MOST else 0


def stack_in(folder: Path) -> Live:
    """200 services, one of which has printed a million lines."""
    for name in ("r", "s"):
        (folder / name).mkdir(mode=0o700)
    os.environ["PORTSUP_RUNTIME_DIR"], os.environ["PORTSUP_STATE_DIR"] = str(folder / "r"), str(folder / "s")
    live = Live(folder / "p", {
        "long": {"command": ["sh", "-c", "cat many; exec sleep 1000"], "logging": {"max_size": "200MB"}},
        **{f"service-{number:03}": {**SLEEPS, "autostart": False} for number in range(199)},
    })  # fmt: skip
    (live.folder / "many").write_text("".join(f"INFO line {number} of very many\n" for number in range(LINES)))
    live.run("up", "-d")
    return live


def measured(seen: Looking, name: str, frames: int) -> float:
    """Scrolls in one way; the most processor time of a frame in ms."""
    place, selector, by = WAYS[name]
    seen.to("overview")  # also between two logs: the next one begins at its end
    seen.until(lambda: len(seen.rows()) == 200, "all services", 60)
    if place != "overview":
        seen.to(place)
        seen.sees(f"line {LINES - 1} of very many", within=120)
    tracing = seen.context.new_cdp_session(seen.page)
    told: list[dict[str, Any]] = []
    tracing.on("Tracing.dataCollected", lambda part: told.extend(part["value"]))
    tracing.send("Tracing.start", {"transferMode": "ReportEvents", "traceConfig": {
        "includedCategories": CATEGORIES.split(","),
    }})  # fmt: skip
    wall = sorted(seen.page.evaluate(f"({SCROLL})(['{selector}', {by}, {frames}])"))
    ended(tracing, seen)
    spent = sorted(processor_time(told))
    rows = len(seen.page.query_selector_all(".line, tr[data-service]"))
    print(f"{name} ({rows} rows)")
    for words, times in (("on the clock", wall), ("processor time", spent)):
        print(f"  {words:15} median {at(times, 0.5):5.1f}  p95 {at(times, 0.95):5.1f}  longest {times[-1]:5.1f} ms")
    counts = {each: sum(one["name"] == each for one in told) for each in ("Layout", "UpdateLayoutTree", "Paint")}
    print("  " + ", ".join(f"{each} {count / frames:.1f}" for each, count in counts.items()) + " per frame\n")
    return spent[-1]


def ended(tracing: "CDPSession", seen: Looking) -> None:
    """Waits until the trace has been told to its end."""
    over: list[object] = []
    tracing.on("Tracing.tracingComplete", lambda told: over.append(told))
    tracing.send("Tracing.end")
    while not over:
        seen.page.wait_for_timeout(50)


def processor_time(told: list[dict[str, Any]]) -> list[float]:
    """ms of the main thread for each frame: what its tasks took from the paint of one frame to that of the next."""
    mains = {(one["pid"], one["tid"]) for one in told if one["name"] == "PrePaint"}
    frames: list[float] = []
    for main in mains:
        mine = [one for one in told if (one["pid"], one["tid"]) == main]
        begins = sorted(one["ts"] for one in mine if one["name"] == "PrePaint")
        tasks = sorted((one["ts"], one.get("tdur", 0)) for one in mine if one["name"] == "RunTask")
        spent = dict.fromkeys(begins, 0)
        number = 0
        for moment, took in tasks:
            while number + 1 < len(begins) and begins[number + 1] <= moment + 1:
                number += 1
            spent[begins[number]] += took
        frames += [each / 1000 for each in spent.values()]
    return frames


def at(times: list[float], part: float) -> float:
    """The value below which that part of the sorted times lies."""
    return times[min(len(times) - 1, int(part * len(times)))]


if __name__ == "__main__":
    sys.exit(main())
