"""Who is waited for is said in words, with the time that is left."""

import pytest

from supervisor.core import events as ev
from supervisor.core.restart import RestartPolicy
from supervisor.core.service import Service
from supervisor.core.state import Milestone, State
from supervisor.daemon.stack import NOTE_EVERY
from supervisor.daemon.waiting import lines, telling, words
from supervisor.dataclass import replace

from .test_stack import CHAIN, READY, Scene

WEB = Service("web", (8000,), RestartPolicy())


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"state": State.STARTING, "pid": 7, "port": 8000, "deadline": 124.2},
         "waiting for web: nothing listens on port 8000 (24 s left)"),
        ({"state": State.STARTING, "pid": 7, "port": 8000, "reached": Milestone.LISTENING, "deadline": 124.2,
          "trouble": "GET /health answered 503"}, "waiting for web: GET /health answered 503 (24 s left)"),
        ({"state": State.STARTING, "pid": 7}, "waiting for web, which is not ready yet"),
        ({"state": State.BACKOFF, "deadline": 103.0}, "waiting for web, which starts again in 3 s"),
        ({"state": State.TERMINATING, "pid": 7, "deadline": 99.0}, "waiting for web (pid 7, killed in 0 s)"),
        ({"state": State.KILLING, "pid": 7, "deadline": 110.0}, "waiting for web (pid 7)"),
        ({"state": State.ACQUIRING}, "waiting for web"),
    ],
)  # fmt: skip
def test_every_state_has_its_words(facts: dict[str, object], expected: str) -> None:
    assert words(replace(WEB, **facts), (), 100.0) == expected  # type: ignore[arg-type]


def test_those_that_wait_for_somebody_are_named_only_where_nobody_else_is_late() -> None:
    scene = Scene(CHAIN)
    scene.start()
    slots = scene.slots
    late = [slots[name] for name in ("web", "api", "db")]
    assert [line.split(":")[0] for line in lines(late, slots, 0.0)] == ["waiting for db"]
    assert lines(late[:2], slots, 0.0) == ["waiting for web, which needs api", "waiting for api, which needs db"]


def test_a_long_list_is_cut() -> None:
    scene = Scene({f"s{number}": {} for number in range(9)})
    scene.start()
    told = lines(list(scene.slots.values()), scene.slots, 0.0)
    assert (len(told), told[-1]) == (6, "waiting for 4 more")


def test_it_is_said_again_and_again_until_it_is_over() -> None:
    scene = Scene({"db": {}, "api": {"db": READY}})
    scene.start()
    told: list[str] = []
    late = [scene.slots["db"]]
    with telling(scene.stack, lambda: late, told.append):
        scene.loop.advance(NOTE_EVERY - 0.1)
        assert told == []
        scene.loop.advance(0.2)
        assert [line.split(":")[0] for line in told] == ["waiting for db"]
        scene.loop.advance(NOTE_EVERY)
        assert len(told) == 2
        scene.tell("db", ev.BecameReady)
        late.clear()
        scene.loop.advance(NOTE_EVERY)
        assert len(told) == 2
    late.append(scene.slots["api"])
    scene.loop.advance(3 * NOTE_EVERY)
    assert len(told) == 2
