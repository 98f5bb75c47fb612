"""Short work beside the services: commands of probes and of `on_change`, each of which ends with all that came of it,
and answers of theirs that take a while to look through.
"""

import asyncio
import os
from collections.abc import Callable

from supervisor import system
from supervisor.annotations import Any
from supervisor.daemon.processes.inquiries import Inquiries
from supervisor.daemon.processes.reaper import Reaper
from supervisor.dataclass import replace
from supervisor.process import tree
from supervisor.process.spawn import Command, spawn

LEFTOVER_CHECK = 0.05  # seconds between looks at what a command left behind


class Errands:
    """The commands of one instance that run now; `number` gives each a number of its own, by which it is known."""

    def __init__(self, loop: asyncio.AbstractEventLoop, reaper: Reaper, run_id: str, number: Callable[[], str]) -> None:
        self._loop = loop
        self.reaper = reaper
        self._run_id = run_id
        self._number = number
        self._inquiries = Inquiries(loop, reaper.watch)

    def close(self) -> None:
        """Finds out nothing any more."""
        self._inquiries.close()

    async def found_out(self, question: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        """The facts that `question` gives in a child of ours; None if there was no time or room for it."""
        answered: asyncio.Future[dict[str, Any] | None] = self._loop.create_future()
        self._inquiries.ask(question, lambda found: None if answered.done() else answered.set_result(found))
        return await answered

    async def run(self, command: Command) -> int:
        """The exit code, negative for a signal; raises PortsupError where it cannot be run.

        What it leaves behind is killed at its end; so is the command itself when nobody waits for it any longer.
        """
        invocation = self._number()
        environment = {**command.environment, tree.RUN_ID: self._run_id, tree.INVOCATION: invocation}
        pid = spawn(replace(command, environment=environment))
        its = tree.Tree(pid, self._run_id, environment.get(tree.SERVICE, ""), os.getpid(), (), invocation)
        ended: asyncio.Future[int] = self._loop.create_future()

        def on_exit(status: int) -> None:
            self._end(its)
            if not ended.done():
                ended.set_result(system.exit_code_of(status))

        self.reaper.watch(pid, on_exit)
        try:
            return await ended
        except asyncio.CancelledError:
            if self.reaper.is_watched(pid):  # once it was reaped, its pid may be that of a stranger
                self._end(its)
            raise

    def _end(self, its: tree.Tree) -> None:
        found = tree.kill(replace(its, others=self.reaper.others(its.main)))
        if found or not tree.can_look():
            self._loop.call_later(LEFTOVER_CHECK, self._end, replace(its, main=0))
