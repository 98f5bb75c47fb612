"""What a check saw of a service, in words."""

from collections.abc import Callable

from supervisor.core import reasons
from supervisor.core.reasons import Cause, HttpAnswer, Probed, Reason
from supervisor.words.enumeration import some_of


def of_check(reason: Reason, text_of: Callable[[Cause], str]) -> str:
    """The sentence for it; empty if no check has seen it.  `text_of` tells of the reason within."""
    match reason:
        case reasons.NothingListens(port):
            return f"nothing listens on port {port}"
        case reasons.NoLineMatches(pattern, ""):
            return f"no line matches `{pattern}`"
        case reasons.NoLineMatches(pattern, last):
            return f"no line matches `{pattern}`; the last one is `{last}`"
        case reasons.PatternTooSlow(pattern, is_given_up):
            rest = ", and portsup looks for it no longer: use a simpler expression" if is_given_up else ""
            return f"`{pattern}` takes too long on what it printed{rest}"
        case reasons.LastLine(reasons.PatternTooSlow() as trouble, line):
            return f"{text_of(trouble)}; its last line is `{line}`" if line else text_of(trouble)
        case reasons.LastLine(trouble, line):
            last = f"the last one is `{line}`" if line else "it has printed none"
            return f"{text_of(trouble)}; {last}"
        case reasons.NotSaidReady():
            return "it has not said READY=1"
        case reasons.ListensElsewhere(ports, port, variable, others):
            return f"it listens on {some_of(ports, others)} instead of {port}, the port in ${variable}"
        case reasons.Probed():
            return _of_probe(reason, text_of)
        case reasons.NoAnswer(within):
            return f"did not answer within {within:g} s"
        case reasons.HttpAnswer():
            return _of_answer(reason)
        case reasons.Unhealthy(last, times):
            return f"unhealthy: {text_of(last)}" + (f", {times} times in a row" if times > 1 else "")
        case reasons.MemoryAbove(used, limit):
            return f"its processes have {megabytes(used)} of memory, its `memory_limit` is {megabytes(limit)}"
    return ""


def _of_probe(probed: Probed, text_of: Callable[[Cause], str]) -> str:
    subject, found = probed.asked or "the TCP port", probed.found
    if isinstance(found, str):
        return f"{subject}: {found}"
    has_ended = isinstance(found, reasons.EndedWithCode | reasons.EndedBySignal)
    return f"{subject} {'ended with ' if has_ended else ''}{text_of(found)}"


def _of_answer(answer: HttpAnswer) -> str:
    status, said = answer.status, answer.said
    match answer.how:
        case "nothing":
            return "got no answer"
        case "no-http":
            return "got an answer that is not HTTP"
        case "lacks":
            return f"answered {status} without `{said}` in it"
        case "no-match":
            return f"answered {status} and nothing that matches `{said}`"
        case "slow-pattern":
            return f"answered {status}, and `{said}` takes too long on its body: use a simpler expression"
        case "unread":
            return "answered, but portsup could not search the answer in time"
    wanted = f", not {' or '.join(answer.wanted)}" if answer.wanted else ""
    return f"answered {status} {said}".rstrip() + wanted


def megabytes(size: int) -> str:
    """A size in few words."""
    if size >= 1024**3:
        return f"{size / 1024**3:.3g} GB"
    if 0 < size < 1024**2:
        return f"{size / 1024:.3g} KB"
    return f"{size / 1024**2:.4g} MB"
