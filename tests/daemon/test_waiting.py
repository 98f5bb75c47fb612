"""Who is waited for is said in words, with the time that is left."""

import re
from typing import Any

import pytest

from supervisor.core.reasons import HttpAnswer, Probed
from supervisor.core.restart import RestartPolicy
from supervisor.core.service import Service
from supervisor.core.state import Beside, Milestone, Role, State
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.stack.stack import LIVE_EVERY, NOTE_EVERY
from supervisor.daemon.stack.waiting import LIVE_AFTER, telling, told
from supervisor.dataclass import replace
from supervisor.words.waiting import sentence
from tests.support.scene import CHAIN, READY, Scene

WEB = Service("web", (8000,), RestartPolicy())


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"state": State.STARTING, "pid": 7, "port": 8000, "deadline": 124.2},
         "waiting for web (24 s left): nothing listens on port 8000"),
        ({"state": State.STARTING, "pid": 7, "port": 8000, "reached": Milestone.LISTENING, "deadline": 124.2,
          "trouble": "GET /health answered 503"}, "waiting for web (24 s left): GET /health answered 503"),
        ({"state": State.STARTING, "pid": 7}, "waiting for web: not ready yet"),
        ({"state": State.BACKOFF, "deadline": 103.0}, "waiting for web, which restarts in 3 s"),
        ({"state": State.TERMINATING, "pid": 7, "deadline": 99.0}, "waiting for web (pid 7, killed in 0 s)"),
        ({"state": State.KILLING, "pid": 7, "deadline": 110.0}, "waiting for web (pid 7)"),
        ({"state": State.ACQUIRING}, "waiting for web"),
    ],
)  # fmt: skip
def test_every_state_has_its_words(facts: dict[str, object], expected: str) -> None:
    assert sentence(replace(WEB, **facts), (), 100.0) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        (Beside(Role.SUCCESSOR, 9, 124.2), " (24 s left): pid 9, which is to replace pid 7: not ready yet"),
        (Beside(Role.SUCCESSOR, 9, trouble=Probed("GET /", HttpAnswer("status", 503, "Service Unavailable"))),
         ": pid 9, which is to replace pid 7: GET / answered 503 Service Unavailable"),
        (Beside(Role.LEAVING, 7, 103.0), ": pid 7, which was replaced (killed in 3 s)"),
        (Beside(Role.DOOMED, 7), ": pid 7, which was replaced"),
    ],
)  # fmt: skip
def test_a_rolling_restart_says_which_of_the_two_it_waits_for(beside: Beside, expected: str) -> None:
    svc = replace(WEB, state=State.RUNNING, pid=7, beside=beside)
    assert sentence(svc, (), 100.0) == f"waiting for web{expected}"


def words_told(late: list[Any], slots: Any) -> list[str]:
    return [each.words for each in told(late, slots, 0.0)]


def test_those_that_wait_for_somebody_are_named_only_where_nobody_else_is_late() -> None:
    scene = Scene(CHAIN)
    scene.start()
    slots = scene.slots
    late = [slots[name] for name in ("web", "api", "db")]
    assert [re.split(r"[:(]", line)[0].strip() for line in words_told(late, slots)] == ["waiting for db"]
    assert words_told(late[:2], slots) == ["waiting for web, which needs api", "waiting for api, which needs db"]


def test_a_long_list_is_cut() -> None:
    scene = Scene({f"s{number}": {} for number in range(9)})
    scene.start()
    lines = words_told(list(scene.slots.values()), scene.slots)
    assert (len(lines), lines[-1]) == (6, "waiting for 4 more")


def test_it_is_known_since_when_and_how_long_still() -> None:
    scene = Scene({"db": {}})
    scene.loop.advance(100.0)
    scene.start()
    begun = scene.loop.itself.time()
    scene.loop.advance(7.0)
    [one] = told([scene.slots["db"]], scene.slots, begun + 7.0)
    assert (one.name, one.since_s, one.left_s) == ("db", 7.0, 23.0)
    [later] = told([scene.slots["db"]], scene.slots, begun + 7.0, begun=begun + 5.0)
    assert later.since_s == 2.0, "not longer than somebody waits"


def test_it_is_told_all_the_time_and_is_a_note_now_and_then_until_it_is_over() -> None:
    scene = Scene({"db": {}, "api": {"db": READY}})
    scene.start()
    heard: list[tuple[int, bool]] = []
    late = [scene.slots["db"]]
    with telling(scene.stack, lambda: late, lambda who, is_note: heard.append((len(who), is_note))):
        scene.loop.advance(LIVE_AFTER - 0.1)
        assert heard == []
        scene.loop.advance(0.2)
        assert heard == [(1, False)]
        scene.loop.advance(NOTE_EVERY - LIVE_AFTER)
        assert heard.count((1, True)) == 1
        scene.loop.advance(2 * NOTE_EVERY)
        assert heard.count((1, True)) == 3
        assert len(heard) == pytest.approx(3 * NOTE_EVERY / LIVE_EVERY, abs=1)
        late.clear()
    assert heard[-1] == (0, False), "the last word is that nobody is waited for"
    count = len(heard)
    scene.loop.advance(3 * NOTE_EVERY)
    assert len(heard) == count


def test_what_is_quick_is_not_told_of() -> None:
    scene = Scene({"db": {}})
    scene.start()
    heard: list[int] = []
    with telling(scene.stack, lambda: [scene.slots["db"]], lambda who, is_note: heard.append(len(who))):
        scene.loop.advance(LIVE_AFTER - 0.1)
    scene.loop.advance(NOTE_EVERY)
    assert heard == []


def test_nobody_is_not_told_of_until_somebody_was() -> None:
    scene = Scene({"db": {}})
    scene.start()
    heard: list[int] = []
    late: list[Slot] = []
    with telling(scene.stack, lambda: late, lambda who, is_note: heard.append(len(who))):
        scene.loop.advance(3 * LIVE_AFTER)
        assert heard == []
        late.append(scene.slots["db"])
        scene.loop.advance(LIVE_EVERY)
        late.clear()
        scene.loop.advance(LIVE_EVERY)
    assert heard[:2] == [1, 0]


def test_where_nothing_is_live_only_notes_are_told() -> None:
    scene = Scene({"db": {}})
    scene.start()
    heard: list[tuple[int, bool]] = []
    late = [scene.slots["db"]]
    with telling(scene.stack, lambda: late, lambda who, is_note: heard.append((len(who), is_note)), is_live=False):
        scene.loop.advance(NOTE_EVERY - 0.1)
        assert heard == []
        scene.loop.advance(2 * NOTE_EVERY)
    assert heard == [(1, True), (1, True)]
