"""The pipe that tells of the guardian's end where no signal does."""

import asyncio
import os
import signal

import pytest

from supervisor.process import lifeline


@pytest.mark.skipif(os.name == "nt", reason="there jobs end what is left")
@pytest.mark.parametrize("ends", ["before", "after"])
def test_the_end_of_the_guardian_is_told_whenever_it_comes(ends: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifeline, "_held", [])
    theirs, ours = lifeline.make()
    gone = -1  # of no process, so it is not our parent
    lifeline.hold(ours, gone)
    assert lifeline.guardian() == gone

    async def live() -> None:
        loop, told = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, told.set)
        if ends == "before":
            os.close(theirs)
        lifeline.follow(loop)
        if ends == "after":
            await asyncio.sleep(0)
            assert not told.is_set()
            os.close(theirs)
        await asyncio.wait_for(told.wait(), 10)

    try:
        asyncio.run(live())
    finally:
        os.close(ours)


def test_without_a_pipe_the_parent_is_the_guardian() -> None:
    assert lifeline.guardian() == os.getppid()
