"""What the keys can have done, and how it is told when it is done, or has failed."""

from collections.abc import Sequence

from supervisor.api.project import NotRunning, Project
from supervisor.api.values import Changes, Outcome
from supervisor.dataclass import dataclass
from supervisor.errors import PortsupError
from supervisor.words import view

_LINES = 8  # of what a service printed that could not be brought where it should be
@dataclass(frozen=True, slots=True)
class Done:
    """How an order went: `ok`, in `words`, and the last lines of what has failed."""

    ok: bool
    words: str
    lines: tuple[str, ...] = ()


def carry_out(project: Project, order: str, services: Sequence[str]) -> Done:
    """Does it, and returns when the state that was asked for is there, or is not to be had; takes as long as that."""
    try:
        try:
            return _told(project, _do(project, order, services))
        except NotRunning:
            if order != "start":
                raise
            came = project.up(*services)
            return Done(came.ok, came.words.splitlines()[-1] if came.words else view.IS_UP, _tail(came.words))
    except PortsupError as error:
        hint = f" ({error.hint})" if error.hint else ""
        return Done(False, f"{error.what}: {error.why}{hint}")


def _do(project: Project, order: str, services: Sequence[str]) -> list[Outcome]:
    stack = project.stack()
    match order:
        case "start":
            return stack.start(*services)
        case "stop":
            return stack.stop(*services)
        case "restart" | "roll":
            return stack.restart(*services, rolling=order == "roll")
        case "rotate":
            return [stack.rotate(name) for name in services]
        case "kill":
            return stack.kill(*services)
        case "reload":
            return stack.reload()
        case _:
            return stack.down()


def _told(project: Project, outcomes: Sequence[Outcome]) -> Done:
    wrong = [each for each in outcomes if not each.ok]
    words = "; ".join(f"{each.name}: {each.words}" for each in wrong or outcomes)
    return Done(not wrong, words or view.NOTHING_CHANGED, _last_lines(project, wrong))


def _last_lines(project: Project, wrong: Sequence[Outcome]) -> tuple[str, ...]:
    lines: list[str] = []
    for each in wrong:
        try:
            lines += project.why(each.name, failures=1, lines=_LINES).output
        except PortsupError:  # just ending
            continue
    return tuple(lines[-_LINES:])


def _tail(words: str) -> tuple[str, ...]:
    return tuple(words.splitlines()[-_LINES:])


def difference(changes: Changes) -> list[str]:
    """What a reload would do, one line each."""
    lines = [view.difference("start", name) for name in changes.added]
    lines += [view.difference("stop", name) for name in changes.removed]
    for each in changes.changed:
        lines.append(view.difference("restart" if each.restarts else "change", each.name, each.keys))
    return [*lines, *(view.difference("change", view.of_stack(key)) for key in changes.top)]
