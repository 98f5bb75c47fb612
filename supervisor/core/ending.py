"""What the end of one service means for all the others, and for the exit code of `up`."""

from enum import StrEnum

from supervisor.core.service.snapshot import Service
from supervisor.core.state import ENDED, Result, State
from supervisor.dataclass import dataclass
from supervisor.errors import ExitCode, shell_code

_OWN_ENDS = (Result.EXIT_CODE, Result.SIGNAL, Result.START_LIMIT)


class Others(StrEnum):
    """What happens to the other services."""

    IGNORE = "ignore"  # they go on
    STOP_ALL = "stop_all"  # they are stopped, and `up` ends with the exit code of the one that ended


@dataclass(frozen=True, slots=True)
class OnEnd:
    """What follows when a service has ended for good: with success, or because it failed."""

    success: Others = Others.IGNORE
    failure: Others = Others.IGNORE


@dataclass(frozen=True, slots=True)
class Abort:
    """What `up` was asked to end on, beside what each service says."""

    on_exit: bool = False  # of any service; a job that has done its work is fine
    on_failure: bool = False
    code_from: str = ""  # the service whose end ends all, and whose exit code is that of `up`


def ends_all(svc: Service, on_end: OnEnd, abort: Abort) -> bool:
    """Whether everything stops because this service is in the state that it is in."""
    if svc.state not in ENDED or svc.pid is not None:
        return False
    is_success = svc.state is State.EXITED
    if Others.STOP_ALL is (on_end.success if is_success else on_end.failure) or svc.name == abort.code_from:
        return True
    is_done = is_success and svc.one_shot
    return (abort.on_exit and not is_done) or (abort.on_failure and not is_success)


def code_of(svc: Service) -> int:
    """What a shell would see of a service that has ended by itself; what success means to it is 0."""
    if svc.state is State.EXITED:
        return 0
    if svc.result is Result.UNHEALTHY:
        return ExitCode.UNHEALTHY
    if svc.result in _OWN_ENDS and svc.exit_code:
        return shell_code(svc.exit_code)
    return ExitCode.GAVE_UP
