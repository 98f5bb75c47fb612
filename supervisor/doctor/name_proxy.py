"""Whether services can have names: Caddy is there, and new enough."""

from collections.abc import Callable, Iterator

from supervisor.doctor.finding import Finding, Level
from supervisor.errors import PortsupError
from supervisor.words import naming


def check_names(usable: Callable[[], str]) -> Iterator[Finding]:
    """`usable` gives the Caddy that would be run; raises PortsupError where there is none that will do."""
    try:
        yield Finding("names", Level.OK, naming.caddy_is(usable()))
    except PortsupError as error:
        yield Finding("names", Level.WARNING, f"{error.what}: {error.why}", error.hint)
