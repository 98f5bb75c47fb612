"""Jobs that run by the clock."""

import json
from typing import Any

import pytest

from tests.live.conftest import Make
from tests.support.eventually import eventually

pytestmark = pytest.mark.live

NEW_YEAR = {"cron": "0 3 1 1 *", "timezone": "UTC", "catch_up": "once"}


def job(**more: Any) -> dict[str, Any]:
    return {"command": ["sh", "-c", "echo runs"], "one_shot": True, "schedule": {**NEW_YEAR, **more}}


def test_a_job_waits_for_its_time_runs_by_hand_too_and_is_stopped(stack: Make) -> None:
    live = stack({"job": job()})
    with live.up("-d"):
        row = live.rows()["job"]
        assert (row["state"], row["next_run"][4:]) == ("idle", "-01-01T03:00:00+00:00")
        assert live.run("status").returncode == 0
        assert live.do("start", "job")["job"]["ok"]
        row = live.until("job", state="exited")  # and the stack goes on, though nothing else is in it
        assert row["next_run"]
        live.do("stop", "job")
        assert live.until("job", state="stopped")["next_run"] is None
        live.do("start", "job")
        assert live.until("job", state="exited")["next_run"]
        assert live.log("job") == "runs\nruns\n"
    assert live.journal("run begins") == []


def test_runs_that_were_missed_are_made_up_for_once(stack: Make) -> None:
    live = stack({"job": job()})
    file = live.state / "t-1" / "schedules.json"
    with live.up("-d"):
        kept = json.loads(file.read_text())
    file.write_text(json.dumps({name: settled - 800 * 86400 for name, settled in kept.items()}))
    with live.up("-d"):
        live.until("job", state="exited")
        assert [event["late"] > 86400 for event in live.journal("run begins")] == [True]
    with live.up("-d"):
        live.until("job", state="idle")
    assert live.log("job") == "runs\n"


def test_a_reload_changes_the_schedule_and_takes_it_away(stack: Make) -> None:
    live = stack({"job": job()})
    with live.up("-d"):
        live.write({"job": job(cron="0 3 2 2 *")})
        assert live.run("reload").returncode == 0
        eventually(lambda: (live.rows()["job"]["next_run"] or "")[4:] == "-02-02T03:00:00+00:00")
        live.write({"job": {"command": ["sleep", "1000"]}})
        assert live.run("reload").returncode == 0
        assert live.until("job", state="running")["next_run"] is None
