"""`one_shot`: jobs that run once, and who waits for them."""

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS

pytestmark = pytest.mark.live


def shell(script: str) -> dict[str, object]:
    return {"command": ["sh", "-c", script], "one_shot": True}


def test_up_waits_for_a_job_and_takes_its_success_for_fine(stack: Make) -> None:
    live = stack({
        "migrate": shell("while [ ! -e go ]; do sleep 0.05; done; echo migrated"),
        "helper": {"command": ["sh", "-c", "sleep 0.3; touch go; exec sleep 1000"]},
        "web": {**SLEEPS, "depends_on": ["migrate"]},
    })  # fmt: skip
    with live.up("--wait-timeout", "30"):
        assert (live.folder / "go").exists(), "`up -d` waited for the job"
        job = live.rows()["migrate"]
        assert (job["state"], job["result"], job["exit_code"], job["restarts"]) == ("exited", "success", 0, 0)
        assert live.rows()["web"]["state"] == "running"
        assert live.run("status").returncode == 0
        assert live.run("wait", "migrate", "--timeout", "1").returncode == 0
        assert live.run("start", "migrate").returncode == 0
        assert live.log("migrate").count("migrated") == 2, "`start` runs it once more"


def test_a_job_that_fails_fails_the_start(stack: Make) -> None:
    live = stack({"migrate": {**shell("exit 3"), "restart": "never"}, "web": {**SLEEPS, "depends_on": ["migrate"]}})
    done = live.run("up", "-d")
    assert done.returncode == 10, done.stderr
    assert "migrate: failed: exit code 3" in done.stderr
    assert "it depends on `migrate`, which failed" in done.stderr


def test_a_job_that_fails_first_is_tried_again_and_one_that_is_done_leaves_nothing_to_supervise(stack: Make) -> None:
    once = shell("test -e tried || { touch tried; exit 1; }")
    live = stack({"migrate": {**once, "restart_policy": {"delay": "10ms"}}})
    with live.foreground() as up:
        assert up.ends() == 0, up.err
        assert "nothing is left to supervise" in up.err
    (again,) = live.journal("service restarts")
    assert again["why"] == "exit code 1"
