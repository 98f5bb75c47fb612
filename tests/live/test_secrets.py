"""Secrets: the services get them, and no output of portsup shows them."""

import json
import re
import signal
from typing import Any

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
            "logging": {"redact": False},
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


def test_what_a_service_prints_is_shown_without_secrets(stack: Make) -> None:
    """Its own secrets and those of others, in the log and wherever that is shown; and what a reload makes of it."""
    more = "while [ ! -e go ]; do sleep 0.02; done; echo then $LATER $TOKEN; exec sleep 1000"
    service = {"environment": {"TOKEN": SECRET, "LATER": "new-s3cret-word"}}
    services: dict[str, dict[str, Any]] = {
        # A probe sees the line as it is.
        "web": {"command": ["sh", "-c", f"echo first $TOKEN; {more}"], "ready": {"log": f"first {SECRET}"}, **service},
        "open": {"command": ["sh", "-c", f"echo first $TOKEN; {more}"], "logging": {"redact": False}, **service},
        "bad": {
            "command": ["sh", "-c", f"echo it has $DB_PASSWORD in it, and {SECRET}; exit 3"], "restart": "never",
                "ready": {"log": "what it never says"},  # so that it fails in a reload as well
            "environment": {"DB_PASSWORD": OTHER}, "hooks": {"pre_start": ["sh", "-c", "echo hook $DB_PASSWORD"]},
        },
    }  # fmt: skip
    live = stack(services)
    with live.foreground() as up:
        up.says("it has *** in it, and ***")
        live.until("web", state="running")
        eventually(lambda: live.log("open") == f"first {SECRET}\n")
        eventually(lambda: all(words in up.out for words in ("it has *** in it, and ***", f"open | first {SECRET}")))
        shown = {words: live.run(*words.split()).stdout for words in ("logs web bad", "why bad", "events")}
        shown |= {f"{name}.log": live.log(name) for name in ("web", "bad")}
        shown["stdout of up"] = "\n".join(line for line in up.out.splitlines() if not line.startswith("open"))
        shown["stderr of up"] = up.err
        assert [where for where, text in shown.items() if SECRET in text or OTHER in text] == []
        for where in ("logs web bad", "why bad", "bad.log", "stdout of up"):
            assert "it has *** in it, and ***" in shown[where], where
        assert shown["bad.log"].startswith("hook ***\n")
        assert f"first {SECRET}" in live.run("logs", "open").stdout
        assert f"open | first {SECRET}" in up.out

        pids = {name: row["pid"] for name, row in live.rows().items()}
        services["open"].pop("logging")
        services["bad"]["environment"]["NEW_TOKEN"] = "new-s3cret-word"
        live.write(services, name="t")
        done = live.run("reload")
        assert (done.returncode, "error: bad: failed, exit code 3" in done.stderr) == (1, True), done.stderr
        (live.folder / "go").touch()
        eventually(lambda: live.log("web") == "first ***\nthen *** ***\n", what="the new secret hidden in web.log")
        eventually(lambda: live.log("open") == f"first {SECRET}\nthen *** ***\n", what="what was there kept as it was")
        assert {name: row["pid"] for name, row in live.rows().items()} == pids, "nothing was restarted for that"


def test_no_name_is_masked_where_a_secret_is_the_same_word(stack: Make) -> None:
    """`POSTGRES_PASSWORD: postgres` is what most development stacks have."""
    pool = free_pool(3)
    says = 'echo postgres listens on $PORT, there is no word for two; echo "they are $PHRASE"'
    live = stack({
        "postgres": {
            "command": ["sh", "-c", f"{says}; exec sleep 1000"], "pool": list(pool), "ready": "started",
            "environment": {
                "POSTGRES_PASSWORD": "postgres", "KEY": str(pool[0]), "PHRASE": "x", "SECRET": "two words here",
                "DSN": "postgres://postgres:postgres@localhost/postgres", "TEST_TOKEN": "started",
            },
        },
        "bad-auth": {"command": ["sh", "-c", "exit 3"], "restart": "never", "depends_on": ["postgres"]},
    })  # fmt: skip
    with live.foreground() as up:
        up.says("failed")
        shown = {
            words: live.run(*words.split())
            for words in (
                "status", "status --format wide", "status --format json", "why postgres", "why bad-auth", "events",
                "events --format json", "logs", "ports --all", "env", "ls", "metrics", "doctor", "config check",
                "port postgres",
            )
        }  # fmt: skip
        texts = {words: done.stdout + done.stderr for words, done in shown.items()}
        texts["endpoints"] = json.dumps(live.endpoints())
        own = {name: live.run(*name.split()).stdout for name in ("env postgres", "config show")}
        up.send(signal.SIGTERM)
        up.ends()
        texts |= {"out of up": up.out, "err of up": up.err}
    texts["journal"] = (live.state / "t-1" / "portsup.log").read_text()
    assert [where for where, text in texts.items() if "***" in text] == []
    assert f"postgres listens on {pool[0]}, there is no word for two" in texts["logs"]
    assert str(pool[0]) in texts["status"]
    note = "POSTGRES_PASSWORD: masked where it stands, and not looked for in output: it is also a name"
    assert note in texts["config check"]
    assert shown["config check"].returncode == 0
    for text in own.values():
        assert "postgres://postgres:***@localhost/postgres" in text
        assert re.search(r"POSTGRES_PASSWORD[:=] ?'?\*\*\*", text)
        assert re.search(r"\bSECRET[:=] ?'?\*\*\*", text)
    assert "\n  postgres:\n" in own["config show"]
    assert "PORTSUP_SERVICE=postgres\n" in own["env postgres"]
