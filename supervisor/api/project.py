"""A folder with a services.yaml, and the instance that runs from it or would: for programs that work in a project."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from supervisor.api.history import events_of, why_of
from supervisor.api.log_search import SECONDS, search_logs
from supervisor.api.stack import Stack
from supervisor.api.values import Came, EventPage, LogPage, LogQuery, Why
from supervisor.config.dump import as_yaml
from supervisor.config.load import load_asked
from supervisor.config.names import find_asked
from supervisor.config.show import resolved
from supervisor.config.spec import StackSpec
from supervisor.errors import NotFound, PortsupError
from supervisor.logs.state_dir import instance_directory
from supervisor.ports.choice import Ambiguous, choose
from supervisor.ports.instances import InstanceInfo, running
from supervisor.ports.runtime import RuntimeDir
from supervisor.words import answers, instances

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

_MOST_SAID = 1 << 16  # bytes of what portsup says while it starts


class NotRunning(NotFound):
    """Nothing runs from a folder."""


class Project:
    """The stack of a folder, whether it runs or not; the folder decides which instance is meant.

    Everything is looked up when it is asked for, so an object may be kept while the stack comes and goes.
    """

    def __init__(
        self, folder: str | os.PathLike[str] | None = None, files: Sequence[str] = (), instance: int | None = None
    ) -> None:
        """The stack of `folder`, or of the working directory; `files` as with `portsup -f`, `instance` its number."""
        self.folder = os.path.abspath(folder or os.getcwd())
        self.files = tuple(files)
        self.instance = instance

    def running(self) -> InstanceInfo | None:
        """The instance that runs from here; None where none does.  Raises NotFound where several are meant."""
        try:
            return choose(running(RuntimeDir.find()), self.folder, self.instance, self.files, changes=True)
        except Ambiguous:
            raise
        except NotFound:
            return None

    def stack(self) -> Stack:
        """The stack that runs from here; raises NotFound where none does."""
        info = self.running()
        if info is None:
            raise NotRunning(*instances.none_here())
        return Stack(info.socket)

    def spec(self) -> StackSpec:
        """What services.yaml says; raises ConfigError with every mistake in it."""
        return load_asked(find_asked(self.folder, self.files), os.environ)

    def configuration(self) -> str:
        """The configuration with every default filled in and secrets hidden, as YAML; raises ConfigError."""
        return as_yaml(resolved(self.spec()))

    def services(self) -> list[str]:
        """The names of its services: of the running instance, else of services.yaml; raises ConfigError."""
        info = self.running()
        if info is not None:
            try:
                return [each.name for each in Stack(info.socket).status()]
            except PortsupError:  # just ending
                pass
        return list(self.spec().services)

    def name(self) -> tuple[str, int]:
        """The name of the stack and the number of its instance, also of one that does not run; raises ConfigError."""
        info = self.running()
        return (info.stack, info.instance) if info is not None else (self.spec().name, self.instance or 1)

    def logs_directory(self) -> str:
        """Where its logs and its journal are kept; raises ConfigError."""
        return instance_directory(*self.name())

    def search(self, *services: str, query: LogQuery | None = None, seconds: float = SECONDS) -> LogPage:
        """What these services, or all, wrote, as far as `query` asks for it; the stack need not run."""
        return search_logs(self.logs_directory(), services or self.services(), query, seconds)

    def history(self, *services: str, cursor: str = "", count: int = 50) -> EventPage:
        """What happened to these services or at all: the last events, or the next ones behind a cursor."""
        return events_of(self.logs_directory(), services, cursor=cursor, count=count)

    def why(self, service: str, *, failures: int = 3, lines: int = 50) -> Why:
        """Why a service went wrong in the last run; raises NotFound for one that there is not."""
        known = self.services()
        if service not in known:
            raise answers.no_service(service, known, answers.TELL_OF)
        return why_of(self.logs_directory(), service, self._state_of(service), failures=failures, lines=lines)

    def up(self, *services: str, timeout: float | None = None) -> Came:
        """Brings the stack up in the background, as `portsup up -d` does, and returns when it is ready or has failed.

        After `timeout` seconds it returns all the same, and the stack goes on coming up.  It does not end with this
        process.
        """
        words = [sys.executable, "-m", "supervisor", "--color=never", *(f"--file={file}" for file in self.files)]
        words += [f"--instance={self.instance}"] if self.instance is not None else []
        with _scratch() as said:  # and no pipe: nobody may read it to its end
            try:
                coming = subprocess.Popen(
                    [*words, "up", "--detach", "--", *services], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=said,
                    stderr=said, start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                raise instances.not_started(sys.executable, error.strerror or error) from error
            with contextlib.suppress(subprocess.TimeoutExpired):
                coming.wait(timeout)
            said.seek(0)
            text = said.read(_MOST_SAID).decode(errors="replace").strip()
        return Came(coming.returncode == 0, text, coming.returncode)

    def _state_of(self, service: str) -> str | None:
        info = self.running()
        try:
            return Stack(info.socket).status(service)[0].state if info is not None else None
        except PortsupError:  # just ending
            return None


def _scratch() -> "IO[bytes]":
    try:
        return tempfile.TemporaryFile()
    except OSError as error:  # a full disk, or no folder for it
        raise instances.no_scratch(error.errno or 0, error.strerror or error) from error
