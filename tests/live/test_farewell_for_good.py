"""A process that is asked to end and that nobody follows answers whoever has connected before."""

import threading
from typing import Any

import pytest

from supervisor.core.farewell import ACCEPTS_WITHIN
from supervisor.process.filters import why_not
from tests.live.farewells import (
    KINDS,
    answers,
    crowds_at,
    each_number_of_times,
    how,  # noqa: F401
    refuses,
    served,
    service,
    slow,  # noqa: F401
    start_again,
    unanswered,
)
from tests.live.stack import Live
from tests.support.eventually import eventually
from tests.support.namespace import slow_down

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=f"no handoff here: {why_not()}")]

TAKES = 0.1  # seconds for a client: some wait for a process still when the next thing happens
each_kind = [
    pytest.param({}, id="one"),
    pytest.param({"workers": 4}, id="four", marks=pytest.mark.long),
    pytest.param({"replicas": 3}, id="three", marks=pytest.mark.long),
]
ROTATED = {"one-v6", "four-v6"}  # the others are stopped


@each_number_of_times
def test_who_has_connected_before_a_stop_is_answered(slow: Live, how: str, times: int) -> None:  # noqa: F811
    """The others are refused, as ever.  Also by a replica that would have ended later than one with fewer clients."""
    services = {name: service(slow, address, workers=workers) for name, (address, workers) in KINDS.items()}
    services["three"] = service(slow, replicas=3)
    with served(slow, how, services) as ports:
        for left in range(times, 0, -1):
            with crowds_at(ports) as crowds:
                results = slow.do("stop", *(name for name in ports if name not in ROTATED))
                results |= {name: slow.rotate(name) for name in ROTATED}
                assert all(result["ok"] for result in results.values()), results
                refuses(crowds)
            assert unanswered(crowds) == {}
            if left > 1:
                start_again(slow, ports)


def test_who_is_about_to_connect_when_it_is_stopped_is_answered(slow: Live, how: str) -> None:  # noqa: F811
    """Their packets take as long as those of another machine, or on one that is busy."""
    with served(slow, how, {"one": service(slow), "three": service(slow, replicas=3)}) as ports:
        slow_down()
        with crowds_at(ports) as crowds:
            assert all(result["ok"] for result in slow.do("stop", *ports).values())
            refuses(crowds)
        assert unanswered(crowds) == {}


@pytest.mark.long
def test_who_has_connected_before_all_replicas_with_workers_stop_is_answered(slow: Live, how: str) -> None:  # noqa: F811
    with served(slow, how, {"web": service(slow, workers=4, replicas=3)}) as ports:
        for _ in range(2):
            with crowds_at(ports) as crowds:
                assert all(result["ok"] for result in slow.do("stop", "web").values())
                refuses(crowds)
            assert unanswered(crowds) == {}
            start_again(slow, ports)


@each_number_of_times
def test_who_has_connected_before_a_rolling_restart_is_stopped_is_answered(
    slow: Live, how: str, times: int  # noqa: F811
) -> None:
    """Also by the second process, which may begin to listen while the first one accepts those who wait."""
    with served(slow, how, {"web": service(slow)}) as ports:
        for _ in range(times):
            with crowds_at(ports) as crowds:
                before = len(slow.journal("roll begins"))
                rolling = threading.Thread(target=lambda: slow.do("restart", "web", rolling=True))
                rolling.start()
                eventually(lambda before=before: len(slow.journal("roll begins")) > before)  # type: ignore[misc]
                assert slow.do("stop", "web")["web"]["ok"]
                rolling.join(20)
                refuses(crowds)
            assert unanswered(crowds) == {}
            assert slow.do("start", "web")["web"]["ok"]


def test_who_waits_for_a_process_that_computes_is_answered_when_it_has_time_for_that(slow: Live, how: str) -> None:  # noqa: F811
    web = service(slow, takes=2 * ACCEPTS_WITHIN, environment={"COMPUTES": ""})
    with served(slow, how, {"web": web}) as ports:
        with crowds_at(ports, 2) as crowds:
            assert slow.do("stop", "web")["web"]["ok"]
            refuses(crowds)
        assert unanswered(crowds) == {}


def test_who_waits_for_either_process_of_a_rolling_restart_is_answered_when_it_is_stopped_at_the_change(
    slow: Live, how: str  # noqa: F811
) -> None:
    """Where a queue moves, that of the first one does; else the first one accepts it, or the second one has it too."""
    with served(slow, how, {"web": service(slow, takes=TAKES)}) as ports, crowds_at(ports) as crowds:
        rolling = threading.Thread(target=lambda: slow.do("restart", "web", rolling=True))
        rolling.start()
        eventually(lambda: slow.journal("roll hands on"))
        assert slow.do("stop", "web")["web"]["ok"]
        rolling.join(20)
        refuses(crowds)
    assert unanswered(crowds) == {}


@pytest.mark.parametrize("kind", each_kind)
def test_who_waits_for_a_process_that_is_ending_when_its_service_is_stopped_is_answered_by_another(
    slow: Live, how: str, kind: dict[str, Any]  # noqa: F811
) -> None:
    """It closes its sockets only then, and what waits there moves; where nothing does, nobody waits for it by then."""
    closes_at = slow.folder / "close"
    web = service(slow, closes_at=closes_at, **kind)
    with served(slow, how, {"web": web}) as ports, crowds_at(ports) as crowds:
        rolling = threading.Thread(target=lambda: slow.do("restart", "web", rolling=True))
        stopping = threading.Thread(target=lambda: slow.do("stop", "web"))
        rolling.start()
        eventually(lambda: slow.journal("roll hands on"))
        stopping.start()
        eventually(lambda: slow.rows()["web"]["state"] == "terminating")
        closes_at.touch()
        stopping.join(20)
        rolling.join(20)
        refuses(crowds)
    assert unanswered(crowds) == {}


def test_while_a_replica_has_not_been_asked_to_end_yet_it_answers_for_those_that_were(slow: Live, how: str) -> None:  # noqa: F811
    goes_on = slow.folder / "go"
    waits = f"test $PORTSUP_REPLICA = 1 || until test -e {goes_on}; do sleep 0.01; done"
    web = service(slow, replicas=2, hooks={"pre_stop": ["sh", "-c", waits]}, stop_grace_period="60s")
    with served(slow, how, {"web": web}) as ports, crowds_at(ports) as crowds:
        stopping = threading.Thread(target=lambda: slow.do("stop", "web"))
        stopping.start()
        eventually(lambda: slow.rows()["web"]["replicas"][0]["state"] == "stopped")
        answers(crowds)
        goes_on.touch()
        stopping.join(20)
        refuses(crowds)
    assert unanswered(crowds) == {}
