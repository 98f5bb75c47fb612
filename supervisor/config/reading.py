"""What the readers of single values need of the one who reads the whole file."""

from collections.abc import Callable

from supervisor.annotations import Any, Protocol
from supervisor.config.fields import Fields
from supervisor.config.kinds import Kind, Section
from supervisor.config.report import Report
from supervisor.config.tree import Node, Scalar


class Reading(Protocol):
    """Reads nodes by kind; the `where` of its methods is the path of keys, for messages."""

    @property
    def report(self) -> Report:
        """Where mistakes go."""

    def section(self, node: Node, kind: Section, where: str) -> Fields:
        """The fields of a mapping."""

    def value(self, node: Node, kind: Kind, where: str) -> Any:
        """What the node says, or BROKEN."""

    def attempt(self, node: Scalar, where: str, read: Callable[[str], Any]) -> Any:
        """What `read` makes of the text, or BROKEN after reporting why not."""

    def expected(self, wanted: str, node: Node, where: str) -> Any:
        """Report a value of the wrong type; gives BROKEN."""

    def hint_for(self, node: Node, where: str) -> str:
        """What to write instead, if that can be told."""
