"""`portsup timings` of a stack that really started."""

import json
import sys

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS

pytestmark = pytest.mark.live

SLOW = "import time; time.sleep(0.3); print('I am ready', flush=True); time.sleep(1000)"


def test_the_times_of_the_last_start_are_told_while_it_runs_and_afterwards(stack: Make) -> None:
    live = stack({
        "web": {**SLEEPS, "depends_on": ["db"]},
        "db": {"command": [sys.executable, "-c", SLOW], "ready": {"log": "I am ready"}},
        "alone": SLEEPS,
        "later": {**SLEEPS, "autostart": False},
    })  # fmt: skip
    ran = live.run("timings")
    assert (ran.returncode, ran.stdout) == (4, "")
    with live.up():
        live.do("start", "later")
        ran = live.run("timings", "--format", "json")
        assert ran.returncode == 0, ran.stderr
        told = {record["service"]: record for record in map(json.loads, ran.stdout.splitlines())}
        assert set(told) == {"web", "db", "alone"}
        db, web = told["db"], told["web"]
        assert {record["outcome"] for record in told.values()} == {"ready"}
        assert db["ready_s"] >= 0.3
        assert web["waited_s"] >= 0.3
        assert (web["after"], db["after"], web["starts"]) == ("db", None, 1)
        assert web["at_s"] >= db["at_s"] >= sum(db[f"{phase}_s"] or 0 for phase in ("spawn", "ready"))
        assert (db["critical"], told["alone"]["critical"]) == (True, False)
        file = live.folder / "services.yaml"
        whole = file.read_text()
        file.write_text("services: {web: {comand: x}}")
        assert live.run("timings", "--format", "json").stdout == ran.stdout, "what runs is asked, not the file"
        file.write_text(whole)
    ran = live.run("timings")
    assert ran.returncode == 0, ran.stderr
    assert [line.split()[-1] for line in ran.stdout.partition("critical chain")[2].splitlines()[1:]] == ["web", "db"]
