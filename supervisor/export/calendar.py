"""A schedule as a timer of systemd, systemd.time(7).  Pure."""

from collections.abc import Iterator

from supervisor.core.schedule import CatchUp, Schedule

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# The least and the greatest of each field, and what people write for the numbers from the least on.
_FIELDS: tuple[tuple[int, int, tuple[str, ...]], ...] = (
    (0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (0, 7, _DAYS),
)  # fmt: skip


def timer(schedule: Schedule) -> Iterator[str]:
    """The lines of [Timer], if `moments` has any."""
    for each in moments(schedule):
        yield f"OnCalendar={each}"
    yield "AccuracySec=1s"
    if schedule.jitter:
        yield f"RandomizedDelaySec={schedule.jitter:g}"
    if schedule.catch_up is CatchUp.ONCE:
        yield "Persistent=true"


def moments(schedule: Schedule) -> tuple[str, ...]:
    """When it runs, for OnCalendar: at each of these; none for the last day of a month or a week, which it cannot say.

    Of a day of the month and a day of the week, where both are given, cron needs one, and systemd both: so there are
    two then.
    """
    fields = schedule.cron.lower().split()
    found = [_numbers(text, *of) for text, of in zip(fields, _FIELDS, strict=True)]
    if any(each is None for each in found):
        return ()
    minutes, hours, days, months, weekdays = (each or () for each in found)
    time = f"{_listed(hours, 0, 23)}:{_listed(minutes, 0, 59)}:00"
    zone = f" {schedule.timezone}" if schedule.timezone else ""
    names = ",".join(_DAYS[each].capitalize() for each in sorted({each % 7 for each in weekdays}))
    by_day = f"*-{_listed(months, 1, 12)}-{_listed(days, 1, 31)} {time}{zone}"
    by_weekday = f"{names} *-{_listed(months, 1, 12)}-* {time}{zone}"
    if fields[4].startswith("*") and fields[2].startswith("*"):
        whole = by_day if len({each % 7 for each in weekdays}) == 7 else f"{names} {by_day}"
        return (whole,)
    if fields[4].startswith("*") or fields[2].startswith("*"):  # the other one decides, and a step of this one as well
        return (by_day if len({each % 7 for each in weekdays}) == 7 else f"{names} {by_day}",)
    return (by_day, by_weekday)


def _numbers(text: str, least: int, most: int, names: tuple[str, ...]) -> tuple[int, ...] | None:
    """The numbers that a field of cron names; None where they depend on the month."""
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = least, 6 if most == 7 else most
        else:
            begin, dash, end = span.partition("-")
            told = [_number(each, least, names) for each in ((begin, end) if dash else (begin,))]
            if None in told:
                return None
            first, last = int(told[0] or 0), int(told[-1] or 0)
            last = most if step and not dash else last
        found |= set(range(first, last + 1, int(step or 1)))
    return tuple(sorted(found))


def _number(text: str, least: int, names: tuple[str, ...]) -> int | None:
    if text in names:
        return names.index(text) + least
    return int(text) if text.isdecimal() else None


def _listed(numbers: tuple[int, ...], least: int, most: int) -> str:
    return "*" if len(numbers) == most - least + 1 else ",".join(f"{each:02}" for each in numbers)
