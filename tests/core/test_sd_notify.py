"""What a service says of itself: datagrams read, and what they make of it, with literal times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.core import events as ev
from supervisor.core.restart import Restart, RestartPolicy
from supervisor.core.sd_notify import LONGEST, LONGEST_STATUS, Notification, parse
from supervisor.core.service import Service, Step, Timeouts, step
from supervisor.core.service import step as rolled
from supervisor.core.state import Result, State
from supervisor.dataclass import replace
from supervisor.words.reasons import text_of

POLICY = RestartPolicy(delay=0.5, max_restarts=3)
WEB = Service("web", (8000, 8001), POLICY, Timeouts(ready=30.0, grace=10.0, kill=5.0, watchdog=20.0))


def starting(at: float = 0.0) -> Service:
    svc = replace(WEB, state=State.WAITING, port=8000)
    svc, _ = step(svc, ev.DependenciesMet(), at)
    return step(svc, ev.Spawned(7), at)[0]


def running(at: float = 0.0) -> Service:
    return step(starting(at), ev.BecameReady(7), at)[0]


def said(svc: Service, words: bytes, now: float) -> Step:
    notice = parse(words)
    assert notice is not None
    return step(svc, ev.Notified(7, notice), now)


@pytest.mark.parametrize(
    ("datagram", "notice"),
    [
        (b"READY=1", Notification(is_ready=True)),
        (
            b"READY=1\nSTATUS=Serves 3 sites\nMAINPID=42\n",
            Notification(is_ready=True, status="Serves 3 sites", main_pid=42),
        ),
        (b"RELOADING=1\nMONOTONIC_USEC=123456", Notification(is_reloading=True)),
        (b"STOPPING=1", Notification(is_stopping=True)),
        (b"WATCHDOG=1", Notification(is_alive=True)),
        (b"WATCHDOG=trigger", Notification(is_hung=True)),
        (b"WATCHDOG_USEC=1500000", Notification(watchdog=1.5)),
        (b"WATCHDOG_USEC=18446744073709551615", Notification(watchdog=0.0)),
        (b"EXTEND_TIMEOUT_USEC=2000000", Notification(extension=2.0)),
        (b"STATUS=", Notification(status="")),
        (b"STATUS=a\x1b[31mred\xff", Notification(status="a [31mred\N{REPLACEMENT CHARACTER}")),
        (b"STATUS=" + b"x" * 4000, Notification(status="x" * LONGEST_STATUS)),
        (b"READY=1\0", Notification(is_ready=True)),
        (b"READY=0\nMAINPID=-4\nWATCHDOG_USEC=soon\nnonsense\n=\n", Notification()),
        (b"MAINPID=99999999999", Notification()),
        (b"ERRNO=2\nEXIT_STATUS=3\nBUSERROR=x\nBARRIER=1\nFDSTORE=1\nFDNAME=a\nX_OWN=1", Notification()),
        (b"", None),
        (b"\0", None),
        (b"READY=1\0STATUS=x", None),
        (b"nothing that is set", None),
        (b"STATUS=" + b"x" * LONGEST, None),
    ],
)  # fmt: skip
def test_a_datagram_is_read(datagram: bytes, notice: Notification | None) -> None:
    assert parse(datagram) == notice


@given(st.binary(max_size=LONGEST + 9) | st.lists(st.sampled_from((
    b"READY", b"=", b"1", b"\n", b"STATUS", b"WATCHDOG_USEC", b"EXTEND_TIMEOUT_USEC", b"9" * 30, b"MAINPID",
    b"\xd9\xa3",
))).map(b"".join))  # fmt: skip
def test_no_datagram_does_harm(datagram: bytes) -> None:
    notice = parse(datagram)
    if notice is not None:
        for svc in (starting(), running(), step(running(), ev.StopRequested(), 0.0)[0]):
            after, _ = step(svc, ev.Notified(7, notice), 1.0)
            assert after.deadline is None or after.deadline >= 1.0


def test_its_words_are_kept_until_it_is_started_again() -> None:
    web, effects = said(starting(), b"STATUS=loading", 1.0)
    assert (web.told, web.state, effects) == ("loading", State.STARTING, ())
    web, _ = step(web, ev.Exited(7, code=1), 2.0)
    assert (web.state, web.told) == (State.BACKOFF, "loading")
    web, _ = step(web, ev.DeadlinePassed(), 3.0)
    assert web.told == ""


def test_the_watchdog_begins_when_it_is_ready_and_every_sign_of_life_puts_it_off() -> None:
    assert starting().deadline == 30.0
    web = running(at=5.0)
    assert web.deadline == 25.0
    web, effects = said(web, b"WATCHDOG=1", 20.0)
    assert (web.deadline, effects) == (40.0, ())
    web, _ = said(web, b"STATUS=busy", 30.0)
    assert web.deadline == 40.0, "only WATCHDOG=1 is a sign of life"
    assert step(web, ev.DeadlinePassed(), 39.9) == (web, ())


@pytest.mark.parametrize("words", [b"", b"WATCHDOG=trigger"])
def test_a_silent_service_and_one_that_says_it_hangs_are_aborted_and_started_again(words: bytes) -> None:
    web, effects = said(running(), words, 3.0) if words else step(running(), ev.DeadlinePassed(), 20.0)
    now = 3.0 if words else 20.0
    assert (web.state, web.result, web.deadline, effects) == (
        State.TERMINATING, Result.WATCHDOG, now + 10.0, (ev.Abort(7),),
    )  # fmt: skip
    assert text_of(web.reason) == ("said that it hangs" if words else "said nothing for 20 s")
    killed, effects = step(web, ev.DeadlinePassed(), now + 10.0)
    assert (killed.state, effects) == (State.KILLING, (ev.Kill(7),))
    web, effects = step(web, ev.Exited(7, signal=6), now + 0.1)
    assert (web.restarts, web.exit_code, effects) == (1, -6, (ev.Spawn(8000),))


def test_a_silent_service_that_is_never_restarted_has_failed() -> None:
    once = replace(running(), policy=replace(POLICY, restart=Restart.NEVER))
    web, effects = step(once, ev.DeadlinePassed(), 20.0)
    assert effects == (ev.Abort(7),)
    web, _ = step(web, ev.Exited(7, signal=6), 20.1)
    assert (web.state, web.result, text_of(web.reason)) == (State.FAILED, Result.WATCHDOG, "said nothing for 20 s")


def test_a_service_may_set_its_own_watchdog_for_the_life_of_its_process() -> None:
    web, _ = said(starting(), b"WATCHDOG_USEC=2000000", 1.0)
    web, _ = step(web, ev.BecameReady(7), 5.0)
    assert web.deadline == 7.0
    web, _ = said(web, b"WATCHDOG_USEC=0", 6.0)
    assert web.deadline is None
    web, _ = said(web, b"WATCHDOG=1", 7.0)
    assert web.deadline is None
    web, _ = step(web, ev.Exited(7, code=1), 60.0)
    web, _ = step(web, ev.Spawned(8), 60.0)
    assert web.watchdog == 20.0


def test_it_may_ask_for_more_time_to_start_and_to_stop_but_not_beyond_a_grace_given_by_hand() -> None:
    web, _ = said(starting(), b"EXTEND_TIMEOUT_USEC=60000000", 10.0)
    assert web.deadline == 70.0
    web, _ = said(web, b"EXTEND_TIMEOUT_USEC=1000000", 11.0)
    assert web.deadline == 70.0, "it never gets less"
    web, _ = step(running(), ev.StopRequested(), 100.0)
    assert said(web, b"EXTEND_TIMEOUT_USEC=30000000", 105.0)[0].deadline == 135.0
    web, _ = step(running(), ev.StopRequested(2.0), 100.0)
    assert said(web, b"EXTEND_TIMEOUT_USEC=30000000", 101.0)[0].deadline == 102.0
    assert said(running(), b"EXTEND_TIMEOUT_USEC=90000000", 1.0)[0].deadline == 20.0, "silence is not extended"


def test_a_service_that_stops_by_itself_gets_its_grace_and_then_its_policy_decides() -> None:
    web, effects = said(running(), b"STOPPING=1\nSTATUS=bye", 50.0)
    assert (web.state, web.deadline, web.told, effects) == (State.TERMINATING, 60.0, "bye", ())
    assert step(web, ev.Exited(7, code=0), 51.0)[0].state is State.EXITED
    again, effects = step(web, ev.Exited(7, code=3), 51.0)
    assert (again.restarts, effects) == (1, (ev.Spawn(8000),))
    web, effects = step(web, ev.DeadlinePassed(), 60.0)
    assert (web.state, effects) == (State.KILLING, (ev.Kill(7),))


def test_a_stop_of_one_that_is_stopping_by_itself_tells_it_so_all_the_same() -> None:
    web, _ = said(running(), b"STOPPING=1", 50.0)
    web, effects = step(web, ev.StopRequested(), 51.0)
    assert (web.state, effects) == (State.TERMINATING, (ev.Terminate(7),))
    assert step(web, ev.Exited(7, code=0), 52.0)[0].state is State.STOPPED


def test_a_reload_is_over_when_it_is_ready_again() -> None:
    web, effects = said(running(), b"RELOADING=1\nMONOTONIC_USEC=1", 5.0)
    assert (web.state, web.reloading_since, web.deadline, effects) == (State.RUNNING, 5.0, 20.0, ())
    web, _ = said(web, b"READY=1", 6.0)
    assert web.reloading_since is None


def test_what_another_process_says_changes_nothing() -> None:
    assert step(running(), ev.Notified(8, Notification(is_stopping=True)), 1.0) == (running(), ())


def rolling(at: float = 0.0) -> Service:
    """A service with a successor (pid 8) that is not ready yet."""
    web, effects = rolled(running(at), ev.RollRequested(), at)
    assert effects == (ev.SpawnBeside(8000),)
    return rolled(web, ev.Spawned(8), at)[0]


def notice_of(words: bytes) -> Notification:
    notice = parse(words)
    assert notice is not None
    return notice


def test_a_successor_speaks_for_itself_until_it_is_in_charge() -> None:
    web, _ = rolled(rolling(), ev.Notified(7, notice_of(b"STATUS=old")), 1.0)
    web, _ = rolled(web, ev.Notified(8, notice_of(b"STATUS=new\nWATCHDOG_USEC=5000000")), 2.0)
    assert (web.told, web.watchdog, web.deadline) == ("old", 20.0, 20.0)
    web, _ = rolled(web, ev.Notified(8, notice_of(b"EXTEND_TIMEOUT_USEC=60000000")), 3.0)
    assert web.beside is not None
    assert web.beside.deadline == 63.0
    web, effects = rolled(web, ev.BecameReady(8), 10.0)
    assert (web.pid, web.told, web.watchdog, web.deadline, effects) == (8, "new", 5.0, 15.0, (ev.Terminate(7),))
    web, effects = rolled(web, ev.DeadlinePassed(), 15.0)
    assert (web.state, effects[0]) == (State.TERMINATING, ev.Abort(8))


@pytest.mark.parametrize("event", [
    ev.DeadlinePassed(), ev.Notified(7, Notification(is_hung=True)), ev.Notified(7, Notification(is_stopping=True)),
])  # fmt: skip
def test_one_that_is_being_replaced_is_not_ended_for_its_silence(event: ev.Event) -> None:
    web, effects = rolled(rolling(), event, 20.0)
    assert (web.state, web.pid, effects) == (State.RUNNING, 7, ())
    assert web.deadline is not None
    assert web.deadline >= 20.0
