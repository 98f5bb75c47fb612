"""What a change of a file that a service is made of does to it.  Pure."""

from enum import StrEnum

from supervisor.core.state import IS_IN_TROUBLE, State
from supervisor.dataclass import dataclass


class Action(StrEnum):
    """What follows a change."""

    RESTART = "restart"
    RELOAD = "reload"  # SIGHUP
    RUN = "run"  # a command


@dataclass(frozen=True, slots=True)
class Watch:
    """The files of a service, and what a change of them means; paths are relative to its working directory."""

    paths: tuple[str, ...] = (".",)
    ignore: tuple[str, ...] = ()  # as in .gitignore
    settle: float = 0.3  # seconds without a change until the ones before count
    action: Action = Action.RESTART
    command: tuple[str, ...] = ()  # for the action `run`


class Moment(StrEnum):
    """When to act on a change that has settled."""

    NOW = "now"
    LATER = "later"  # once it has started, or ended
    NEVER = "never"  # its next start is with the new files in any case


def moment(watch: Watch, state: State) -> Moment:
    """When to act on a change while a service is in this state; a start under way is left to finish."""
    if state is State.RUNNING:
        return Moment.NOW
    if state in (State.STOPPED, State.IDLE):
        return Moment.NOW if watch.action is Action.RUN else Moment.NEVER
    if state is State.EXITED or state in IS_IN_TROUBLE:  # what has changed may be what was wrong
        return Moment.NEVER if watch.action is Action.RELOAD else Moment.NOW
    return Moment.LATER
