"""A schedule runs at the same moments by a timer of systemd."""

import re
import shutil
import subprocess
from datetime import datetime
from itertools import islice

import pytest

from supervisor.config.schedules import Moments
from supervisor.core.schedule import CatchUp, Schedule
from supervisor.export.calendar import moments, timer
from supervisor.export.model import Target
from tests.export.conftest import Loading, exported, files
from tests.support.needed import need

MONDAY = datetime(2026, 3, 2).timestamp()
CRONS = (
    "0 3 * * *", "*/15 * * * *", "5,35 9-17 * * mon-fri", "0 0 1 * *", "0 0 1 jan,jul *", "30 6 * * sun", "0 12 * * 7",
    "0 0 13 * fri", "10/20 4 * * *", "0 1 */2 * *", "0 1 * * */2", "0 2 */5 * mon", "0 2 5 * */3", "0 2 31 * *",
    "0 0 29 2 *", "59 23 * * 0-6",
)  # fmt: skip


@pytest.mark.live
@pytest.mark.parametrize("cron", CRONS)
def test_the_moments_are_the_same(cron: str) -> None:
    need(shutil.which("systemd-analyze"), "systemd-analyze", "on Debian and Ubuntu: apt install systemd")
    schedule = Schedule(cron, "UTC")
    ours, moment = [], MONDAY
    of = Moments(schedule)
    for _ in range(12):
        moment = of.after(moment)
        ours.append(moment)
    theirs: set[float] = set()
    for each in moments(schedule):
        ran = subprocess.run(
            ["systemd-analyze", "calendar", f"--base-time=@{int(MONDAY)}", "--iterations=12", each],
            env={"PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C"}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        found = re.findall(r"(?:elapse|Iter\. #\d+|Iteration #\d+): \w+ (\S+ \S+) UTC", ran.stdout)
        theirs |= {datetime.fromisoformat(f"{text}+00:00").timestamp() for text in found}
    assert list(islice(sorted(theirs), 12)) == ours


@pytest.mark.parametrize("cron", ["0 0 L * *", "0 0 LW * *", "0 0 * * fri#2", "0 0 15W * *", "0 0 * * 5L"])
def test_what_a_timer_cannot_say_does_not_run_at_another_time(cron: str, loading: Loading) -> None:
    assert moments(Schedule(cron)) == ()
    if "15W" in cron:
        return  # our own schedules do not have it either
    stack = loading(f"name: s\nservices: {{a: {{command: a, one_shot: true, schedule: '{cron}'}}}}")
    made = files(stack, Target.SYSTEMD)
    assert "s-a.timer" not in made
    assert "Wants=s-a" not in made["s.target"]
    assert "RemainAfterExit=yes" in made["s-a.service"]
    assert "schedule.cron" in {loss.key for loss in exported(stack, Target.SYSTEMD).losses}


def test_the_target_wants_the_timer_and_the_timer_says_what_the_schedule_says(loading: Loading) -> None:
    schedule = "{cron: '0 3 * * *', timezone: Europe/Madrid, jitter: 30s, catch_up: once}"
    stack = loading(f"name: s\nservices: {{a: {{command: a, one_shot: true, schedule: {schedule}}}}}")
    made = files(stack, Target.SYSTEMD)
    assert "Wants=s-a.timer\n" in made["s.target"]
    assert "PartOf=s.target\n" in made["s-a.timer"]
    assert made["s-a.timer"].endswith(
        "[Timer]\nOnCalendar=*-*-* 03:00:00 Europe/Madrid\nAccuracySec=1s\nRandomizedDelaySec=30\nPersistent=true\n"
    )
    assert "RemainAfterExit" not in made["s-a.service"]
    assert list(timer(Schedule("0 3 * * *", catch_up=CatchUp.NONE))) == ["OnCalendar=*-*-* 03:00:00", "AccuracySec=1s"]


def test_a_run_that_would_wait_is_told_to_be_left_out(loading: Loading) -> None:
    text = "name: s\nservices: {a: {command: a, one_shot: true, schedule: {cron: '0 3 * * *', overlap: queue}}}"
    told = {loss.key for loss in exported(loading(text), Target.SYSTEMD).losses}
    assert {key for key in told if key.startswith("schedule")} == {"schedule.overlap"}
