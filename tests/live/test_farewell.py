"""A process that is asked to end while another one follows leaves nobody in its queue."""

import time

import pytest

from supervisor.process.filters import why_not
from tests.live.farewells import (
    KINDS,
    answers,
    crowds_at,
    each_number_of_times,
    how,  # noqa: F401
    served,
    service,
    slow,  # noqa: F401
)
from tests.live.stack import Live
from tests.support.caller import Calls, call
from tests.support.eventually import eventually

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=f"no handoff here: {why_not()}")]

each_kind = [pytest.param(each, marks=() if each == "one" else pytest.mark.long) for each in KINDS]
ROUNDS = 50  # about when a service is to be stopped


def lost(crowd: list[Calls]) -> list[str]:
    return [f"{each}" for each in crowd if each.refused or each.cut or each.late or each.strange]


def is_answered(port: int, address: str) -> bool:
    calls = Calls()
    call(port, b"", address, calls)
    return bool(calls.answered)


@each_number_of_times
def test_no_client_notices_a_restart(slow: Live, how: str, times: int) -> None:  # noqa: F811
    services = {name: service(slow, address, workers=workers) for name, (address, workers) in KINDS.items()}
    with served(slow, how, services) as ports, crowds_at(ports) as crowds:
        for rolling in (True, False) * times:
            results = slow.do("restart", *ports, rolling=rolling)
            assert all(result["ok"] for result in results.values()), results
            answers(crowds)
    for name, crowd in crowds.items():
        assert lost(crowd) == [], name


@pytest.mark.parametrize("kind", each_kind)
def test_no_client_notices_a_second_process_that_is_not_ready_in_time(slow: Live, how: str, kind: str) -> None:  # noqa: F811
    """It listens, and whoever has got to it is answered before it is asked to end."""
    (address, workers), hindered = KINDS[kind], slow.folder / "hindered"
    ready = {"exec": ["test", "!", "-e", f"{hindered}"], "timeout": "4s"}
    with served(slow, how, {kind: service(slow, address, workers=workers, ready=ready)}) as ports:
        eventually(lambda: is_answered(ports[kind], address))
        with crowds_at(ports) as crowds:
            hindered.touch()
            assert not slow.do("restart", kind, rolling=True)[kind]["ok"]
            answers(crowds)
    assert lost(crowds[kind]) == []


@pytest.mark.long
@pytest.mark.parametrize("how", ["bpf", "sysctl", "swap"], indirect=True)
@pytest.mark.parametrize("kind", ["four", "one-v6", "four-v6"])
def test_no_client_notices_that_a_service_is_stopped_for_want_of_clients(
    slow: Live, how: str, kind: str  # noqa: F811
) -> None:
    """Each of them comes about when it is to be stopped."""
    (address, workers), idle, calls, pids = KINDS[kind], 0.05, Calls(), set()
    web = service(slow, address, workers=workers, idle_stop=f"{idle}s", idle_min_up="0s")
    with served(slow, how, {"web": web}) as ports:
        for number in range(ROUNDS):
            time.sleep(idle * (1 + number % 7 / 3))
            call(ports["web"], b"", address, calls)
            pids.add(slow.rows()["web"]["pid"])
    assert len(pids) > ROUNDS / 10
    assert lost([calls]) == []


@pytest.mark.parametrize("how", ["swap"], indirect=True)
def test_a_program_with_an_io_uring_that_waits_for_nothing_gets_who_has_waited(slow: Live, how: str) -> None:  # noqa: F811
    """As those of libuv and uvloop have."""
    with served(slow, how, {"web": service(slow, "127.0.0.1", "ring")}) as ports, crowds_at(ports) as crowds:
        for _ in range(2):
            assert slow.do("restart", "web")["web"]["ok"]
            answers(crowds)
    assert lost(crowds["web"]) == []
    assert slow.journal("queue dropped") == []
