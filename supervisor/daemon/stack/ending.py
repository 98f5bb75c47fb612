"""When the end of a service is the end of the stack, and which exit code that gives."""

from supervisor.core.ending import Abort, code_of
from supervisor.core.journal import EndOfAll
from supervisor.core.service import Service
from supervisor.core.stack import is_the_end
from supervisor.core.state import ENDED
from supervisor.daemon.console.reporter import Reporter
from supervisor.daemon.console.steps import because
from supervisor.daemon.stack.stack import Stack
from supervisor.errors import ExitCode
from supervisor.logs.journal import Journal
from supervisor.words.console import end_of_all


class Ending:
    """Looks at services that have ended, and remembers the first one that ends all."""

    def __init__(self, stack: Stack, abort: Abort, reporter: Reporter, journal: Journal) -> None:
        self._stack = stack
        self._abort = abort
        self._reporter = reporter
        self._journal = journal
        self._code: int | None = None

    @property
    def is_due_to_a_service(self) -> bool:
        """Whether one has ended all."""
        return self._code is not None

    def is_brought_about_by(self, svc: Service) -> bool:
        """Whether everything has to stop now because `svc` has ended; says so."""
        if self._code is not None or self._stack.is_stopping:
            return False
        slot = self._stack.slots[svc.name]
        if not all(each.service.state in ENDED for each in slot.replicas):
            return False
        if not is_the_end(svc, slot.spec.on_end, self._abort, self._stack.relations):
            return False
        self._code = code_of(svc)
        end = EndOfAll(service=slot.of, **because(svc.reason), exit_code=self._code)
        self._journal.tell(end)
        self._reporter.say(f"\n{end_of_all(end)}")
        return True

    def exit_code(self, usual: int) -> int:
        """The exit code of the stack; `usual` is that without any rule."""
        wanted = self._stack.slots.get(self._abort.code_from)
        if wanted is not None:  # one that had to be stopped did not come to an end of its own
            return code_of(wanted.service) if wanted.service.state in ENDED else ExitCode.TERMINATED
        return usual if self._code is None else self._code
