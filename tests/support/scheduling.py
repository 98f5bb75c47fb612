"""How pytest-xdist gives the files of tests to its workers."""

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController


class OnceScheduling(LoadFileScheduling):  # type: ignore[misc]
    """File by file, as `--dist loadfile`; but a test that ended its worker is not tried again: it would end more."""

    def remove_node(self, node: WorkerController) -> str | None:
        """Takes a worker out, and returns the test that it died of, None when it had none left."""
        tests: dict[str, bool]
        for tests in self.assigned_work[node].values():
            for name, done in tests.items():
                if not done:
                    tests[name] = True
                    self._give_on(node)
                    return name
        super().remove_node(node)
        return None

    def _give_on(self, node: WorkerController) -> None:
        left = self.assigned_work.pop(node)
        self.workqueue.update({file: tests for file, tests in left.items() if not all(tests.values())})
        for other in self.assigned_work:
            self._reschedule(other)
