"""Whom to tell that something has gone wrong, held against what can be done."""

from supervisor.config.fields import Fields
from supervisor.config.report import Report
from supervisor.config.suggest import did_you_mean
from supervisor.core.notices import DESKTOP, Occasion
from supervisor.errors import Missing


def check(stack: Fields, report: Report) -> None:
    """Reports what cannot be, and keeps the addresses out of all that is shown."""
    given: Fields | None = stack.get("notify")
    if given is None:
        return
    known = tuple(map(str, Occasion))
    for each in given.get("on", ()):
        if each not in known:
            hint = did_you_mean(each, known) or f"one of {', '.join(known)}"
            report.error(given.at("on"), f"notify.on: {report.quote(each)} is not an occasion for a notice", hint)
    targets = [each for each in given.get("to", ()) if each != DESKTOP]
    report.hide(targets, given.at("to"), "notify.to")
    for each in targets:
        if "://" not in each:
            hint = did_you_mean(each, (DESKTOP,)) or "write `desktop`, or an address such as `mailto://…`"
            report.error(given.at("to"), "notify.to: expected `desktop` or an address with `://`", hint)
    if targets and not _is_there():
        missing = Missing("notify", ImportError(name="apprise"))
        report.error(given.at("to"), f"notify.to: {missing.why}", f"{missing.hint}, or use `desktop` or `run`")
    if not given.get("to", given.is_broken("to")) and "run" not in given.found:
        report.error(given.place, "notify: nobody is named to get it", "add `to: desktop`, or a command with `run`")


def _is_there() -> bool:
    from importlib.util import find_spec

    return find_spec("apprise") is not None
