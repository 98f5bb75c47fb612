"""The catalogue of events: everything that can happen in an instance and is told, each with its facts as fields.

The reference and the JSON Schema of events are made from it, words/ turns events into sentences.
"""

from types import ModuleType

from supervisor.core.journal import of_files, of_instance, of_processes, of_rolls, of_runs, of_services
from supervisor.core.journal.event import Event as Event
from supervisor.core.journal.event import OfService as OfService
from supervisor.core.journal.event import OfState as OfState
from supervisor.core.journal.of_files import *  # noqa: F403
from supervisor.core.journal.of_instance import *  # noqa: F403
from supervisor.core.journal.of_processes import *  # noqa: F403
from supervisor.core.journal.of_rolls import *  # noqa: F403
from supervisor.core.journal.of_runs import *  # noqa: F403
from supervisor.core.journal.of_services import *  # noqa: F403


def _defined_in(module: ModuleType) -> tuple[type[Event], ...]:
    found = (each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Event))
    return tuple(each for each in found if each.__module__ == module.__name__ and each.event)


_ABOUT_SERVICES = (of_services, of_rolls, of_runs, of_files, of_processes)
OF_SERVICES = tuple(each for module in _ABOUT_SERVICES for each in _defined_in(module))
OF_INSTANCES = _defined_in(of_instance)
ALL = (*OF_SERVICES, *OF_INSTANCES)
BY_NAME: dict[str, type[Event]] = {each.event: each for each in ALL}
