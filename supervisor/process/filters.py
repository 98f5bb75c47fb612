"""Whether services are started under the filter that hands ports over, and why not."""

import os

from supervisor import system
from supervisor.errors import REFUSALS
from supervisor.process import low
from supervisor.process.spawn import rehearse
from supervisor.words import sockets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.system.seccomp import BindFilter


class Filters:
    """The filter for the children of this daemon; made when the first service wants it."""

    def __init__(self) -> None:
        self.why_not = ""  # once it was tried
        self.refused: OSError | None = None  # what the system was short of, where that is why: it is tried again
        self._filter: BindFilter | None = None

    def get(self) -> "BindFilter | None":
        """The filter, None where there can be none: then `why_not` says why."""
        if self._filter is None and (not self.why_not or self.refused is not None):
            self.why_not, self.refused = "", None
            self.why_not = system.handoff_support() or self._try()
        return self._filter

    def give_up(self, error: OSError) -> None:
        """It was thought to work, and does not; for now, where the system was only short of something."""
        self.close()
        self.why_not = error.strerror or str(error)
        self.refused = error if error.errno in REFUSALS else None

    def close(self) -> None:
        """No more children are started with it."""
        if self._filter is not None:
            self._filter.close()
            self._filter = None

    def _try(self) -> str:
        from supervisor.system.seccomp import BindFilter

        made = BindFilter(low.keep)
        code = rehearse(made.installation)
        if code:
            made.close()
            self.refused = OSError(code, os.strerror(code)) if code in REFUSALS else None
            return sockets.no_filter(code)
        self._filter = made
        return ""


def why_not() -> str:
    """Why ports cannot be handed over to programs on this machine, "" if they can; tries it."""
    filters = Filters()
    filters.get()
    filters.close()
    return filters.why_not
