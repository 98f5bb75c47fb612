"""What the screens know of the whole view."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from supervisor.api.following import Following
from supervisor.api.project import Project
from supervisor.api.values import ServiceStatus
from supervisor.tui.model import Model


class View(Protocol):
    """The terminal view of one stack, as its screens use it."""

    project: Project
    plain: bool
    only: frozenset[str]
    model: Model
    following: Following

    @property
    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """By service what it depends on."""

    @property
    def rows(self) -> list[ServiceStatus]:
        """The services, as they are now or were at the end."""

    def order(self, what: str, services: Sequence[str]) -> None:
        """Has it done; asks first where others need what would be stopped."""

    def reload(self) -> object:
        """Shows what a reload would do, and does it when that is wanted."""

    def went_wrong(self, error: BaseException) -> None:
        """Says what went wrong in a thread; it ends no window."""

    def open_page(self, row: ServiceStatus) -> None:
        """Opens it in the browser."""

    def copy(self, text: str, what: str) -> None:
        """Puts it into the clipboard of the terminal (OSC 52)."""
