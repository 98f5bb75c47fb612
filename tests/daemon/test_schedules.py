"""Jobs that run by the clock, with a clock that the test sets."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.core.journal.event import Event
from supervisor.core.schedule import CatchUp, Overlap, Schedule
from supervisor.core.service import Service
from supervisor.core.state import State
from supervisor.daemon.automatic.schedules import Schedules
from supervisor.dataclass import replace

NOW = 1_795_906_080.0  # 2026-11-28T22:48:00Z
DAY, HOUR = 86400.0, 3600.0
AT_THREE = Schedule("0 3 * * *", "UTC")
TO_THREE = 4 * HOUR + 12 * 60  # from NOW


class Scene:
    """One job, its loop, and the clock."""

    def __init__(self, file: Path, schedule: Schedule | None = AT_THREE) -> None:
        self.now = NOW
        self.timers: list[float] = []
        self.soon: list[Any] = []
        self.events: list[Event] = []
        self.started: list[str] = []
        self.slot: Any = SimpleNamespace(
            spec=SimpleNamespace(schedule=schedule), is_wanted=True, next_run="", service=Service("job")
        )
        loop: Any = SimpleNamespace(
            call_later=self.call_later,
            call_soon=lambda call, *words: self.soon.append((call, words)),
        )
        slots: Any = {"job": self.slot}
        self.schedules = Schedules(slots, loop, self, file, clock=lambda: self.now, chance=lambda: 0.0)
        self.become(State.IDLE)

    def call_later(self, delay: float, call: Any) -> Any:
        self.timers.append(delay)
        return SimpleNamespace(cancel=self.timers.clear)

    def start(self, name: str) -> None:
        self.started.append(name)

    def tell(self, event: Event) -> None:
        self.events.append(event)

    def status_changed(self, name: str) -> None: ...

    def become(self, state: State) -> None:
        before, self.slot.service = self.slot.service, replace(self.slot.service, state=state)
        self.schedules.changed(before, self.slot.service)
        for call, words in self.soon:
            call(*words)
        self.soon.clear()

    def at(self, seconds: float) -> None:
        self.now = NOW + seconds
        self.schedules.look()

    def told(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


def test_a_job_runs_at_its_time_and_the_next_run_is_known(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "s.json")
    assert (scene.slot.next_run, scene.timers) == ("2026-11-29T03:00:00+00:00", [HOUR])
    scene.at(TO_THREE - 1)
    assert (scene.started, scene.timers) == ([], [1.0])
    scene.at(TO_THREE)
    assert (scene.started, scene.slot.next_run) == (["job"], "2026-11-30T03:00:00+00:00")
    assert scene.told() == ["RunPlanned", "RunBegins", "RunPlanned"]
    assert scene.events[1].facts == {"service": "job", "at": "2026-11-29T03:00:00+00:00"}


def test_a_clock_set_forward_runs_it_late_and_set_back_not_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "s.json")
    scene.at(TO_THREE + HOUR)
    assert scene.events[1].facts["late"] == HOUR
    scene.at(TO_THREE - HOUR)
    scene.at(TO_THREE)
    assert scene.started == ["job"]
    scene.at(TO_THREE + DAY)
    assert scene.started == ["job", "job"]


@pytest.mark.parametrize("overlap", Overlap)
def test_a_run_that_is_not_over_is_followed_or_not(tmp_path: Path, overlap: Overlap) -> None:
    scene = Scene(tmp_path / "s.json", replace(AT_THREE, overlap=overlap))
    scene.become(State.RUNNING)
    scene.at(TO_THREE)
    scene.at(TO_THREE + DAY)
    assert scene.started == []
    assert scene.told()[1] == ("RunQueued" if overlap is Overlap.QUEUE else "RunSkipped")
    scene.become(State.EXITED)
    assert scene.started == (["job"] if overlap is Overlap.QUEUE else [])
    scene.become(State.RUNNING)
    scene.become(State.EXITED)
    assert scene.started == (["job"] if overlap is Overlap.QUEUE else [])


def test_a_job_that_is_stopped_has_no_schedule(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "s.json")
    scene.slot.is_wanted = False
    scene.become(State.STOPPED)
    scene.at(TO_THREE)
    assert (scene.started, scene.slot.next_run, scene.timers) == ([], "", [])
    scene.slot.is_wanted = True
    scene.become(State.STARTING)
    assert scene.slot.next_run == "2026-11-30T03:00:00+00:00"


def test_a_reload_brings_another_schedule(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "s.json")
    scene.slot.spec.schedule = Schedule("0 23 * * *", "UTC")
    scene.become(State.IDLE)
    assert scene.slot.next_run == "2026-11-28T23:00:00+00:00"
    scene.slot.spec.schedule = None
    scene.become(State.IDLE)
    assert (scene.slot.next_run, scene.timers) == ("", [])


def test_runs_that_were_missed_while_portsup_did_not_run_are_made_up_for_once(tmp_path: Path) -> None:
    file, once = tmp_path / "s.json", replace(AT_THREE, catch_up=CatchUp.ONCE)
    Scene(file, once).schedules.close()
    late = Scene(file, once)
    assert late.started == []
    file.write_text(file.read_text().replace(str(NOW), str(NOW - 3 * DAY)))
    missed = Scene(file, once)
    assert missed.timers == [0.0]
    missed.at(0.0)
    assert missed.started == ["job"]
    assert missed.slot.next_run == "2026-11-29T03:00:00+00:00"
    again = Scene(file, once)
    again.at(0.0)
    assert again.started == []


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": "b"}', '{"job 0 3 * * * UTC": 1e999}', "\x00"])
def test_a_file_that_makes_no_sense_is_as_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "s.json"
    file.write_text(content)
    scene = Scene(file, replace(AT_THREE, catch_up=CatchUp.ONCE))
    scene.at(0.0)
    assert scene.started == []


def test_the_timer_of_a_real_loop_starts_it(tmp_path: Path) -> None:
    async def play() -> list[str]:
        scene = Scene(tmp_path / "s.json")
        began: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        around: Any = SimpleNamespace(
            start=lambda name: began.set_result(None), tell=lambda event: None, status_changed=lambda name: None
        )
        told = [NOW + TO_THREE - 0.05]
        schedules = Schedules(
            {"job": scene.slot}, asyncio.get_running_loop(), around, tmp_path / "t.json",
            clock=lambda: told[0] if not told[1:] else told[1],
        )  # fmt: skip
        schedules.changed(scene.slot.service, scene.slot.service)
        told.append(NOW + TO_THREE)
        await asyncio.wait_for(began, 20)
        schedules.close()
        return ["began"]

    assert asyncio.run(play()) == ["began"]
