"""Somebody is told what goes wrong, and whoever cannot be told disturbs nobody."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS
from tests.support.eventually import eventually

pytestmark = pytest.mark.live
pytest.importorskip("apprise", reason="the extra `notify` is not installed")


@pytest.fixture
def told() -> Iterator[tuple[int, "Queue[dict[str, Any]]"]]:
    """The port of an HTTP server, and what is posted to it."""
    got: Queue[dict[str, Any]] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, got
        server.shutdown()
        thread.join()


def test_who_is_named_is_told_and_who_cannot_be_told_is_an_event(
    stack: Make, told: tuple[int, "Queue[dict[str, Any]]"]
) -> None:
    port, got = told
    live = stack(
        {
            "api": {**SLEEPS, "restart": "never"},
            "other": SLEEPS,
        },
        notify={
            "to": [f"json://127.0.0.1:{port}/", "nosuch://token1234"],
            "run": ["sh", "-c", 'printf "%s|%s" "$PORTSUP_NOTICE_TITLE" "$PORTSUP_NOTICE" > told.txt; exit 4'],
        },
    )  # fmt: skip
    with live.up("-d"):
        live.run("kill", "api")
        message = got.get(timeout=60)
        assert message["title"] == "t: api has failed"
        assert message["message"].startswith("api has failed (signal): signal 9 (SIGKILL)")
        eventually(lambda: len(live.journal("notice not sent")) == 2, within=60)
        events = {fact["to"]: fact["why"] for fact in live.journal("notice not sent")}
        assert events["nosuch://"] == "no service of apprise has such an address"
        assert "exit code 4" in events["sh"]
        assert (live.folder / "told.txt").read_text().startswith("t: api has failed|api has failed")
        assert "token1234" not in live.run("config", "show").stdout
        assert live.rows()["other"]["state"] == "running"


@pytest.mark.parametrize("handoff", [(), ("--handoff", "off")])
def test_a_notice_on_the_desktop_is_a_notification(stack: Make, handoff: tuple[str, ...]) -> None:
    live = stack({"api": {**SLEEPS, "restart": "never"}}, notify={"to": "desktop"})
    programs = live.folder / "programs"
    programs.mkdir()
    (programs / "notify-send").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {live.folder}/told.part\n'
                                          f"mv {live.folder}/told.part {live.folder}/told.txt\n")  # fmt: skip
    (programs / "notify-send").chmod(0o755)
    live.env |= {"PATH": f"{programs}:{live.env['PATH']}", "DISPLAY": ":99"}
    with live.up("-d", *handoff):
        live.run("kill", "api")
        eventually((live.folder / "told.txt").exists, within=60)
        options, said = (live.folder / "told.txt").read_text().split("--\n")
        assert options.split() == ["--urgency=critical", "--app-name=portsup"]
        assert said.startswith("t: api has failed\napi has failed (signal): signal 9 (SIGKILL)")
        assert live.journal("notice not sent") == []


@pytest.mark.parametrize(
    ("script", "variables", "why"),
    [
        ("exit 0", {}, "there is no desktop here"),
        ("echo 'no daemon answers' >&2; exit 1", {"DISPLAY": ":99"}, "no daemon answers"),
        (None, {"DISPLAY": ":99"}, "notify-send"),
    ],
)
def test_why_there_is_no_notification_is_an_event(
    stack: Make, script: str | None, variables: dict[str, str], why: str
) -> None:
    live = stack({"api": {**SLEEPS, "restart": "never"}}, notify={"to": "desktop"})
    programs = live.folder / "programs"
    programs.mkdir()
    if script is None:
        (programs / "sleep").symlink_to("/bin/sleep")
    else:
        (programs / "notify-send").write_text(f"#!/bin/sh\n{script}\n")
        (programs / "notify-send").chmod(0o755)
    path = str(programs) if script is None else f"{programs}:{live.env['PATH']}"
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
        live.env.pop(name, None)
    live.env |= {"PATH": path, **variables}
    with live.up("-d"):
        live.run("kill", "api")
        eventually(lambda: live.journal("notice not sent"), within=60)
        (fact,) = live.journal("notice not sent")
        assert (fact["to"], why in fact["why"]) == ("desktop", True), fact


def test_one_that_hangs_keeps_neither_the_services_nor_the_end(stack: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:  # it takes the connection, and never answers
        live = stack(
            {"api": {**SLEEPS, "restart": "never"}, "other": SLEEPS},
            notify={"to": [f"json://127.0.0.1:{bound.getsockname()[1]}/"]},
        )  # fmt: skip
        with live.up("-d"):
            live.run("kill", "api")
            bound.settimeout(60)
            connection, _ = bound.accept()
            with connection:
                assert live.do("restart", "other")["other"]["ok"]
                assert live.run("down").returncode == 0
                assert live.rows() == {}
