"""A service that is tried again without end."""

from supervisor.core import events as ev
from supervisor.core.conditions import has_settled
from supervisor.core.restart import INFINITE, RestartPolicy
from supervisor.core.service import Service, step
from supervisor.core.state import Milestone, State

POLICY = RestartPolicy(delay=0.5, factor=2.0, max_delay=4.0, max_restarts=INFINITE)
TUNNEL = Service(
    "tunnel", (8000, 8001), POLICY, rotate_after=2, state=State.STARTING, port=8000, pid=7, deadline=30.0,
    reached=Milestone.STARTED,
)  # fmt: skip


def test_one_that_is_tried_without_end_keeps_its_port_and_its_longest_wait() -> None:
    web, now = TUNNEL, 0.0
    waits: list[float] = []
    for pid in range(8, 40):
        web, effects = step(web, ev.Exited(pid - 1, code=1), now)
        assert (web.state, web.port, effects) == (State.BACKOFF, 8000, ())
        assert has_settled(web) is (len(waits) >= 10), "from then on nobody waits for it who would not for others"
        waits.append((web.deadline or 0.0) - now)
        now = web.deadline or 0.0
        web, _ = step(web, ev.DeadlinePassed(), now)
        web, _ = step(web, ev.Spawned(pid), now)
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0], "the first end of the first start has the same rules"
    assert set(waits[4:]) == {4.0}
    assert web.restarts == len(waits)


def test_a_stranger_on_its_port_ends_also_what_is_tried_without_end() -> None:
    web, effects = step(TUNNEL, ev.Intruded(7, "held by `node`"), 1.0)
    web, effects = step(web, ev.Exited(7, signal=15), 1.1)
    assert effects[0] == ev.QuarantinePort(8000, "held by `node`")
