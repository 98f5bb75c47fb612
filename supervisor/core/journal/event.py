"""What an event of the journal is: which one, how grave it is, and its facts as fields."""

from supervisor.core.facts import Facts, dataclass_transform
from supervisor.core.naming import called

INFO, WARNING, ERROR = "info", "warning", "error"


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Event(Facts):
    """Something that happened.

    The fields of a subclass are its facts, in the order in which they are written; one that has its default is left
    out.  The docstring is what the reference says of it.
    """

    event = ""
    level = INFO
    is_frequent = False  # a service can cause it as often as it likes, by calls and messages alone
    is_quiet = False  # it is no part of the story of a failure
    is_failure = False  # something went wrong with a service


class OfService(Event):
    """Something about a service."""

    service: str
    replica: int | None = None

    @property
    def who(self) -> str:
        """How the service is called, or its replica."""
        return called(self.service, self.replica)


class OfState(OfService):
    """Something after which a service is in this state."""

    state: str
