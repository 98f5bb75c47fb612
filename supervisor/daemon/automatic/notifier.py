"""A process of its own that delivers one notice: apprise has threads, and those who are told may take their time.

It reads a JSON object from standard input: `title`, `body`, `type`, and `to`, the addresses.  For each that it could
not be delivered to it prints a line of JSON: `to`, without what is secret in it, and `why`.
"""

import json
import logging
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from supervisor.core.notices import DESKTOP
from supervisor.words import notices

ADDRESS_OF_BUS = "DBUS_SESSION_BUS_ADDRESS"


def main(notice: dict[str, Any]) -> int:
    """Delivers it to all at the same time."""
    logging.disable(logging.CRITICAL)  # what libraries say may have secrets in it
    with ThreadPoolExecutor(max_workers=8) as threads:
        for shown, why in threads.map(lambda address: _told(address, notice), notice["to"]):
            if why:
                _print({"to": shown, "why": why})
    return 0


def _told(address: str, notice: dict[str, Any]) -> tuple[str, str]:
    if address == DESKTOP:
        return DESKTOP, _on_desktop(notice)
    import apprise

    scheme = f"{address.partition(':')[0]}://"
    target = apprise.Apprise.instantiate(address)
    if target is None:
        return scheme, notices.UNKNOWN
    try:
        is_taken = target.notify(title=notice["title"], body=notice["body"], notify_type=notice["type"])
    except Exception as error:  # a plugin of somebody else
        return scheme, type(error).__name__
    return scheme, "" if is_taken else notices.NOT_TAKEN


def _on_desktop(notice: dict[str, Any]) -> str:
    if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", ADDRESS_OF_BUS)):
        return notices.NO_DESKTOP
    program = shutil.which("notify-send")
    if program is None:
        return notices.NO_PROGRAM
    urgency = "critical" if notice["type"] == "failure" else "normal"
    done = subprocess.run(
        [program, f"--urgency={urgency}", "--app-name=portsup", "--", notice["title"], notice["body"]],
        capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or [notices.NOT_TAKEN])[-1]


def _print(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(json.load(sys.stdin)))
