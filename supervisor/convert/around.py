"""What a converter may ask about the folder of the source: its other files, and the programs of this machine."""

import os.path
from collections.abc import Callable, Mapping
from enum import StrEnum

from supervisor.config import envfile
from supervisor.dataclass import dataclass, replace
from supervisor.errors import PortsupError


class FileKind(StrEnum):
    """What is at a path."""

    NOTHING = "nothing"
    FOLDER = "folder"
    TEXT = "text"
    EXECUTABLE = "executable"  # a text that may be run by itself: it begins with `#!`, and has the mode for it
    BINARY = "binary"


def _unread(path: str) -> str:
    raise PortsupError(f"cannot read `{path}`", "only the file itself is known")


@dataclass(frozen=True, slots=True)
class Around:
    """Facts about a folder; all paths are relative to it."""

    text: Callable[[str], str] = _unread  # of a file; raises PortsupError
    kind_of: Callable[[str], FileKind] = lambda path: FileKind.NOTHING
    matching: Callable[[str], list[str]] = lambda pattern: []  # the files that a pattern as of glob(7) means, in order
    has_program: Callable[[str], bool] = lambda name: False  # on the PATH
    system: str = "linux"  # or `macos`, `windows`
    is_root: bool = False  # who asks is root
    root: str = ""  # the folder itself, as an absolute path; empty where it is not known
    folder: str = ""
    processors: int = 0  # of this machine; 0 where that is not known

    def within(self, folder: str) -> "Around":
        """The same facts, asked from a folder in this one."""
        return replace(self, folder=os.path.join(self.folder, folder))

    def path(self, name: str) -> str:
        """`name` as the folder that everything is relative to knows it."""
        return os.path.normpath(os.path.join(self.folder, name))

    def read(self, name: str) -> str:
        """The text of a file; raises PortsupError."""
        return self.text(self.path(name))

    def absolute(self) -> str:
        """The folder as an absolute path; empty where that is not known."""
        return os.path.normpath(os.path.join(self.root, self.folder)) if self.root else ""

    def found(self, pattern: str) -> list[str]:
        """The files that a pattern means, relative to the folder as `read` takes them."""
        return [os.path.relpath(each, self.folder or ".") for each in self.matching(self.path(pattern))]

    def is_there(self, name: str) -> bool:
        """Whether there is a file that can be read."""
        return self.kind(name) not in (FileKind.NOTHING, FileKind.FOLDER)

    def kind(self, name: str) -> FileKind:
        """What is at this path."""
        return self.kind_of(self.path(os.path.expanduser(name)))

    def variables(self, name: str = ".env") -> Mapping[str, str]:
        """The variables of a file of NAME=VALUE lines; none where there is no such file."""
        try:
            return {each.name: each.value for each in envfile.parse(self.read(name))[0]}
        except PortsupError:
            return {}


ALONE = Around()
