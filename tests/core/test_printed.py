"""What is told of a service that is ready once it prints a line, and does not print it."""

from supervisor.core import events as ev
from supervisor.core.service import Service, step
from supervisor.core.state import Milestone, State
from supervisor.words.reasons import text_of


def starting() -> Service:
    return Service("web", (8000,), state=State.STARTING, port=8000, pid=7, deadline=30.0, reached=Milestone.STARTED)


def test_a_service_that_waits_for_a_line_names_it_and_the_last_one_when_its_time_is_over() -> None:
    web, _ = step(starting(), ev.ProbeFailed(7, "no line matches `ready`"), 1.0)
    web, _ = step(web, ev.Printed(7, ""), 1.0)
    assert text_of(web.missing) == "no line matches `ready`; it has printed none"
    web, _ = step(web, ev.Printed(8, "of another process"), 2.0)
    web, _ = step(web, ev.Printed(7, "loading"), 2.0)
    web, _ = step(web, ev.DeadlinePassed(), web.deadline or 0.0)
    assert text_of(web.reason) == "not ready within 30 s: no line matches `ready`; the last one is `loading`"
    assert web.never_listened, "which is worth a hint although a line is what it waits for"
