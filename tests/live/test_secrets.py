"""Secrets: the services get them, and no output of portsup shows them."""

import json
import signal

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

SECRET = "hunter2-is-the-secret"
OTHER = "another-s3cret-word"


def test_no_output_of_portsup_shows_a_secret_and_the_service_gets_it(stack: Make) -> None:
    """Also where it is part of what went wrong: in a command, a path, a probe."""
    web, bad, asked = free_pool(3), free_pool(3), free_pool(3)
    live = stack({
        "web": {
            "command": program("prints_environment", "wait"),
            "pool": list(web),
            "environment": {"GROQ_API_KEY": SECRET, "DB_PASSWORD": "${DB_PASSWORD}"},
            "ready": "started",
        },
        "bad": {
            "command": [*program("exits", "3"), "--token", SECRET, "${DB_PASSWORD}"],
            "pool": list(bad),
            "restart": "never",
        },
        "lost": {"command": [f"/no/{SECRET}/program"]},
        "asked": {
            "command": program("http_health"),
            "pool": list(asked),
            "ready": {"http": f"/sick?token={SECRET}", "timeout": "0.4s"},
            "healthcheck": {"http": f"/health?token={SECRET}"},
            "restart": "never",
        },
    })  # fmt: skip
    live.env["DB_PASSWORD"] = OTHER
    (live.folder / "more.env").write_text(f"MY_SECRET={OTHER}\n")
    shown = {}
    with live.foreground() as up:
        up.says("of its services failed")
        eventually(lambda: live.log("web").endswith("\n"), what="its environment")
        told = json.loads(live.log("web"))
        assert (told["GROQ_API_KEY"], told["DB_PASSWORD"]) == (SECRET, OTHER)
        for words in (
            ["status"], ["status", "--format", "json"], ["status", "--format", "wide"], ["env"], ["env", "web"],
            ["config", "show"], ["config", "check"], ["ports", "--all"], ["ls"], ["restart", "bad"], ["start", "lost"],
        ):  # fmt: skip
            done = live.run(*words)
            shown[" ".join(words)] = done.stdout + done.stderr
        for do in ("status", "endpoints"):
            shown[f"socket: {do}"] = json.dumps(live.client().ask(do))
        up.send(signal.SIGTERM)
        up.ends()
        shown["stderr of up"] = up.err
        shown["portsup.log"] = (live.state / "t-1" / "portsup.log").read_text()
    where = [name for name, text in shown.items() if SECRET in text or OTHER in text]
    assert where == []
    assert "***" in shown["env web"]
    assert "***" in shown["config show"]
    assert "***" in shown["stderr of up"]


def test_a_secret_is_shown_to_whoever_asks_for_it(stack: Make) -> None:
    live = stack({"web": {**SLEEPS, "environment": {"GROQ_API_KEY": SECRET}}})
    with live.up():
        assert SECRET in live.run("env", "web", "--reveal").stdout
        assert SECRET in live.run("config", "show", "--reveal").stdout
        assert SECRET not in live.run("env", "web").stdout
