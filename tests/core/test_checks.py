"""What the checks of a running service say, and what becomes of it."""

from supervisor.core import events as ev
from supervisor.core.reasons import MemoryAbove
from supervisor.core.restart import Restart, RestartPolicy
from supervisor.core.service import step
from supervisor.core.state import Health, Milestone, Result, State
from supervisor.dataclass import replace
from supervisor.words.reasons import text_of
from tests.core.test_service import POLICY, running, starting


def test_an_unhealthy_service_is_restarted_and_gives_up_as_unhealthy() -> None:
    web, effects = step(running(), ev.CheckFailed(7, "answered 500"), 5.0)
    assert (web.health, effects) == (Health.UNHEALTHY, (ev.Terminate(7),))
    web, _ = step(replace(web, attempts=3), ev.Exited(7, signal=15), 6.0)
    assert (web.state, web.result) == (State.FAILED, Result.UNHEALTHY)


def test_an_unhealthy_service_that_is_never_restarted_goes_on() -> None:
    once = replace(running(), policy=replace(POLICY, restart=Restart.NEVER))
    web, effects = step(once, ev.CheckFailed(7, "answered 500"), 5.0)
    assert (web.state, web.health, effects) == (State.RUNNING, Health.UNHEALTHY, ())


def test_a_health_check_may_fail_as_often_as_its_retries_allow() -> None:
    patient = replace(running(), unhealthy_after=3)
    for _ in range(2):
        patient, effects = step(patient, ev.CheckFailed(7, "answered 500"), 5.0)
        assert (patient.health, effects) == (Health.NONE, ())
    well, _ = step(patient, ev.BecameHealthy(7), 6.0)
    assert step(well, ev.CheckFailed(7, "answered 500"), 7.0)[0].health is Health.HEALTHY, "it begins anew"
    web, effects = step(patient, ev.CheckFailed(7, "answered 503"), 6.0)
    assert (web.health, effects) == (Health.UNHEALTHY, (ev.Terminate(7),))
    assert text_of(web.reason) == "unhealthy: answered 503, 3 times in a row"
    web, _ = step(step(web, ev.Exited(7, signal=15), 7.0)[0], ev.DeadlinePassed(), 8.0)
    web, _ = step(step(web, ev.Spawned(8), 8.0)[0], ev.BecameReady(8), 8.1)
    assert (web.state, web.failed_checks) == (State.RUNNING, 0)


def test_a_service_that_has_to_listen_only_is_ready_once_it_does() -> None:
    web, effects = step(replace(starting(), is_ready_by_listening=True), ev.BeganListening(7), 1.0)
    assert (web.state, web.reached, web.ready_since, effects) == (State.RUNNING, Milestone.READY, 1.0, ())
    slow, _ = step(starting(), ev.BeganListening(7), 1.0)
    assert (slow.state, slow.reached) == (State.STARTING, Milestone.LISTENING)


MUCH = MemoryAbove(3 * 1024**2, 2 * 1024**2)


def test_too_much_memory_counts_like_a_crash() -> None:
    web, effects = step(running(), ev.MemoryExceeded(7, MUCH), 5.0)
    assert (web.state, web.result, web.reason, effects) == (
        State.TERMINATING, Result.MEMORY_LIMIT, MUCH, (ev.Terminate(7),)
    )  # fmt: skip
    web, effects = step(web, ev.Exited(7, signal=15), 6.0)
    assert (web.state, web.restarts, web.attempts, web.result) == (State.STARTING, 1, 1, Result.MEMORY_LIMIT)
    never = replace(running(), policy=RestartPolicy(Restart.NEVER))
    web, _ = step(never, ev.MemoryExceeded(7, MUCH), 5.0)
    web, _ = step(web, ev.Exited(7, signal=15), 6.0)
    assert (web.state, web.result, web.reason) == (State.FAILED, Result.MEMORY_LIMIT, MUCH)
