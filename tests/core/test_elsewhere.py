"""A service that takes its port for taken, because somebody waits there, and goes to another."""

from supervisor.core import events as ev
from supervisor.core.reasons import ListensElsewhere
from supervisor.core.restart import RestartPolicy
from supervisor.core.service import Service, Timeouts
from supervisor.core.state import Milestone, State
from supervisor.words.reasons import text_of
from tests.support.told import told

POLICY = RestartPolicy(delay=0.0, factor=2.0, max_delay=4.0, max_restarts=9, period=60.0)
STARTING = Service(
    "web", (8000, 8001), POLICY, Timeouts(ready=30.0, grace=10.0, kill=5.0), rotate_after=3, state=State.STARTING,
    port=8000, pid=7, deadline=30.0, reached=Milestone.STARTED, is_ready_by_listening=True,
)  # fmt: skip


def test_what_keeps_to_its_port_until_somebody_waits_there_finds_nobody_from_the_next_start_on() -> None:
    elsewhere = ListensElsewhere((43003,), 8000, "PORT")
    web, _ = told(STARTING, ev.BeganListening(7, is_alone=True), ev.Exited(7, signal=9), ev.Spawned(8))
    assert (web.state, web.needs_empty_port) == (State.STARTING, False)
    web, effects = told(web, ev.ProbeFailed(8, elsewhere))
    assert (web.state, effects) == (State.TERMINATING, (ev.Terminate(8),)), "at once, not when its time is over"
    assert text_of(web.reason) == "it listens on 43003 instead of 8000, the port in $PORT"
    web, _ = told(web, ev.Exited(8, signal=15))
    assert (web.state, web.misses, web.needs_empty_port) == (State.STARTING, 1, True)
    twice, effects = told(web, ev.Spawned(9), ev.ProbeFailed(9, elsewhere))
    assert (twice.state, effects) == (State.STARTING, ()), "nobody waits there: something else is wrong with it"
    web, _ = told(web, ev.Spawned(9), ev.BeganListening(9, is_alone=True), ev.Exited(9, signal=9))
    assert (web.state, web.misses, web.needs_empty_port) == (State.STARTING, 0, True)


def test_what_has_listened_on_others_before_its_own_port_has_the_time_to_do_so_again() -> None:
    web, _ = told(STARTING, ev.BeganListening(7), ev.Exited(7, signal=9), ev.Spawned(8))
    web, effects = told(web, ev.ProbeFailed(8, ListensElsewhere((24678,), 8000, "PORT")))
    assert (web.state, effects) == (State.STARTING, ())
