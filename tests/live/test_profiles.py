"""Profiles and `autostart: false`: what `up` leaves out, and what starts it."""

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


def test_what_is_left_out_holds_no_port_and_is_started_by_name(stack: Make) -> None:
    pool = free_pool(2)
    live = stack({
        "always": SLEEPS,
        "mail": {"command": program("listens"), "pool": list(pool), "profiles": ["dev"]},
        "late": {**SLEEPS, "autostart": False},
        "needy": {**SLEEPS, "profiles": ["dev", "debug"], "depends_on": ["late"]},
        "apart": {**SLEEPS, "profiles": ["debug"], "depends_on": ["mail"]},
    })  # fmt: skip
    with live.up():
        states = {name: row["state"] for name, row in live.rows().items()}
        assert states == {"always": "running"} | dict.fromkeys(("mail", "late", "needy", "apart"), "stopped")
        assert live.run("status").returncode == 0, "what nobody asked for is fine"
        assert live.rows()["mail"]["pool"] == []
        refused = live.run("start", "apart")
        assert (refused.returncode, refused.stderr.splitlines()[0]) == (
            2, "error: cannot start `apart`: it needs `mail`, which is in profile `dev`",
        )  # fmt: skip
        assert live.run("start", "mail").returncode == 0
        assert live.rows()["mail"]["port"] == pool[0]
        assert live.run("start", "apart", "needy").returncode == 0
        assert {row["state"] for row in live.rows().values()} == {"running"}, "`late` because it is needed"
        live.do("stop", "mail")
        assert live.run("restart", "apart").returncode == 0, "it runs, so nothing that it needs is started"
        assert live.run("restart", "mail").returncode == 0
        live.do("stop", "always")
        assert live.run("status").returncode == 3


def test_profiles_are_asked_for_by_option_or_variable(stack: Make) -> None:
    live = stack({"a": {**SLEEPS, "profiles": ["dev"]}, "b": {**SLEEPS, "profiles": ["debug"]}})
    nothing = live.run("up", "-d")
    assert nothing.returncode == 2
    assert "each of its services is in a profile" in nothing.stderr
    assert "did you mean `dev`?" in live.run("up", "--profile", "dve").stderr
    live.env["PORTSUP_PROFILES"] = "debug,of-another-stack"
    assert [line.split()[0] for line in live.run("up", "--dry-run").stdout.splitlines()[2:]] == ["b"]
    with live.up("--profile", "dev", "--profile", "debug"):
        assert {row["state"] for row in live.rows().values()} == {"running"}
