"""Keeps the files of `render` current: fills their templates in, replaces them, and says so to whom it concerns."""

import asyncio
import contextlib
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from supervisor.config.spec import OnChange, Probe, ProbeKind, RenderedFile, StackSpec
from supervisor.core.state import State
from supervisor.daemon.endpoints import Endpoint
from supervisor.daemon.environment import filled
from supervisor.daemon.probes import Asker, ask
from supervisor.daemon.reaper import Reaper
from supervisor.daemon.reporter import Reporter
from supervisor.daemon.stack import Stack
from supervisor.daemon.tasks import begin
from supervisor.dataclass import dataclass, field
from supervisor.errors import PortsupError

_PLAIN = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@dataclass(slots=True)
class Renderer:
    """The rendered files of one instance.

    Commands of `on_change` wait until the stack is up, because before that nobody can have read an older content
    from it; a service that was started after a file was replaced has read the new one, and gets no signal.
    """

    spec: StackSpec
    instance: int
    stack: Stack
    reporter: Reporter
    reaper: Reaper
    endpoints: Callable[[], Mapping[str, Endpoint]]
    environment: Callable[[], Mapping[str, str]]
    _is_up: bool = False
    _due: dict[OnChange, None] = field(default_factory=dict)
    _tasks: dict[OnChange, asyncio.Task[None]] = field(default_factory=dict)
    _told: dict[Path, str] = field(default_factory=dict)  # what is wrong with files, so that it is said once

    def render(self) -> None:
        """Brings every file up to date; what cannot be written is told, and goes on as it is."""
        for file in self.spec.render:
            to = Path(str(file.to).replace("{instance}", str(self.instance)))
            try:
                has_changed = replace(to, filled(file.text, None, self.instance, self.endpoints()).encode())
            except (OSError, PortsupError) as error:
                why = (error.strerror if isinstance(error, OSError) else None) or str(error)
                if self._told.get(to) != why:
                    self._told[to] = why
                    self.reporter.not_rendered(to, why)
                continue
            self._told.pop(to, None)
            if has_changed:
                self.reporter.rendered(to)
                self._follow_up(file)

    def stack_is_up(self) -> None:
        """Runs the commands that had to wait."""
        self._is_up = True
        self.render()
        self._run_what_is_due()

    def close(self) -> None:
        """Ends the commands that run."""
        self._is_up = False
        for task in list(self._tasks.values()):
            task.cancel()

    def _follow_up(self, file: RenderedFile) -> None:
        change = file.on_change
        if change is None:
            return
        if change.service in self.stack.slots:
            begin(self._signal(change, self.stack.loop.time()), self.stack.loop)
        elif change.command:
            self._due[change] = None
            self.stack.loop.call_soon(self._run_what_is_due)  # one run for several files

    def _run_what_is_due(self) -> None:
        for change in [change for change in self._due if self._is_up and change not in self._tasks]:
            del self._due[change]
            self._tasks[change] = begin(self._run(change), self.stack.loop)

    async def _run(self, change: OnChange) -> None:
        loop = self.stack.loop
        try:
            words = tuple(filled(word, None, self.instance, self.endpoints()) for word in change.command)
            asker = Asker(None, os.fspath(self.spec.directory), self.environment(), self.reaper)
            why = await ask(Probe(ProbeKind.EXEC, command=words), asker, change.timeout)
            if why:
                self.reporter.on_change_failed(change.command[0], why)
        except PortsupError as error:
            self.reporter.on_change_failed(change.command[0], str(error))
        finally:
            del self._tasks[change]
            if not loop.is_closed():
                loop.call_soon(self._run_what_is_due)  # files that changed in the meantime

    async def _signal(self, change: OnChange, written_at: float) -> None:
        slot = self.stack.slots[change.service]
        child = slot.child
        if child is None or child.spawned_at >= written_at:
            return
        # A program that just begins may not handle the signal yet, which would end it.
        await self.stack.until(lambda: slot.service.state is not State.STARTING)
        if slot.child is child and slot.service.state is State.RUNNING:
            slot.send_signal(change.signal)


def replace(path: Path, content: bytes) -> bool:
    """Puts `content` in the place of the file at `path`, at once and whole; False if that is its content already.

    The new file has the mode and, where we may, the owner of the old one.  A symbolic link is neither followed nor
    replaced.  Raises OSError, and leaves no half file behind.
    """
    old = _Old.of(path)
    if old is not None and old.content == content:
        return False
    temporary = path.parent / f".{path.name}.{os.getpid()}.new"
    with contextlib.suppress(FileNotFoundError):  # of an earlier process with our number, that was killed
        temporary.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if old is not None:
                if (old.owner, old.group) != (os.geteuid(), os.getegid()):
                    with contextlib.suppress(PermissionError):
                        os.fchown(file.fileno(), old.owner, old.group)
                os.fchmod(file.fileno(), old.mode)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return True


@dataclass(frozen=True, slots=True)
class _Old:
    """The file that is there."""

    content: bytes
    mode: int
    owner: int
    group: int

    @classmethod
    def of(cls, path: Path) -> "_Old | None":
        """None if there is no file; raises OSError for what is no regular file."""
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(found.st_mode):
            kind = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "no regular file"
            raise OSError(f"it is {kind}")
        mode = stat.S_IMODE(found.st_mode) & 0o777
        try:
            with os.fdopen(os.open(path, os.O_RDONLY | _PLAIN), "rb") as file:
                content = file.read()
        except PermissionError:  # one that may be replaced all the same, because that is a right of the folder
            content = b""
        return cls(content, mode, found.st_uid, found.st_gid)
