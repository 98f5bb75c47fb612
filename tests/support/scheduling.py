"""How pytest-xdist gives the files of tests to its workers."""

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

# They read every file of the package: one worker does it, once.
OF_THE_SOURCE = {
    "tests/system/test_platforms.py",
    *(f"tests/test_{name}.py" for name in ("architecture", "english", "layers", "reference", "words")),
}
# Files of few tests that take long.
SLOW = {
    "tests/mcp/test_session.py",
    *(
        f"tests/live/test_{name}.py"
        for name in ("doctor", "ending", "newcomer", "notices", "profiles", "secrets", "several_files", "stdio",
                     "survivors", "top")
    ),
}  # fmt: skip


def takes_long(nodeid: str) -> bool:
    """Whether this test is of a file that should not be left to a single worker at the end."""
    file = nodeid.partition("::")[0]
    return file in SLOW or file in OF_THE_SOURCE or file.startswith("tests/tui/")


class OnceScheduling(LoadFileScheduling):  # type: ignore[misc]
    """File by file, as `--dist loadfile`; but a test that ended its worker is not tried again: it would end more."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "the source" if file in OF_THE_SOURCE else file

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
