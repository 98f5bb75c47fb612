"""Schedules held against what cannot be, and the moments that they name: the only import of cronsim and tzlocal."""

import math
import os
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo

from supervisor.annotations import Any
from supervisor.config.fields import Fields
from supervisor.config.report import Report
from supervisor.core.schedule import Schedule
from supervisor.dataclass import replace
from supervisor.errors import Missing


class Moments:
    """The moments of a schedule, as seconds since 1970."""

    def __init__(self, schedule: Schedule) -> None:
        self._cron, self._zone = schedule.cron, zone_of(schedule.timezone)
        _library()  # which `after` needs

    def after(self, moment: float) -> float:
        """The first one after `moment`; infinity where there is none in 50 years."""
        for each in _from(self._cron, datetime.fromtimestamp(moment, self._zone)):
            found = each.timestamp()
            if found > moment:  # in the hour that a clock has twice, one that was is named again
                return found
        return math.inf


def shown(moment: float, schedule: Schedule) -> str:
    """A moment in the time zone of its schedule: `2026-11-29T03:00:00+01:00`."""
    return datetime.fromtimestamp(moment, zone_of(schedule.timezone)).isoformat(timespec="seconds")


def zone_of(name: str) -> tzinfo:
    """A time zone by its name; that of the machine where it has none.  Raises ValueError for one that there is not.

    So it does where the machine has only a rule without a name, such as `CET-1CEST`, tzset(3).
    """
    if name == "UTC":
        return UTC
    if name:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError(f"there is no time zone `{name}`") from error
    from tzlocal import get_localzone

    try:
        zone: tzinfo = get_localzone()
    except (LookupError, ValueError, OSError) as error:
        told = f", `TZ` is `{place}`" if (place := os.environ.get("TZ")) else ""
        raise ValueError(f"that of this machine has no name{told}") from error
    return zone


def _from(cron: str, begin: datetime) -> Iterator[datetime]:
    cronsim: Any = _library()
    yield from cronsim.CronSim(cron, begin)


def _library() -> Any:
    """Raises Missing where the extra is not installed."""
    try:
        import cronsim
        import tzlocal
    except ImportError as error:
        raise Missing("schedule", error) from error
    return cronsim if tzlocal else None


_NICKNAMES = {
    "@reboot": "leave `schedule` out: a job without one runs at `up`",
    "@yearly": "write `0 0 1 1 *`",
    "@annually": "write `0 0 1 1 *`",
    "@monthly": "write `0 0 1 * *`",
    "@weekly": "write `0 0 * * 0`",
    "@daily": "write `0 0 * * *`",
    "@midnight": "write `0 0 * * *`",
    "@hourly": "write `0 * * * *`",
}


_NO_SUCH_DAY = "name a day that one of its months has"


def _names_no_day(schedule: Schedule) -> bool:
    """Whether its days and its months are right, and only together they never are, as in `0 3 30 2 *`."""
    given = schedule.cron.split()
    if len(given) != 5:
        return False
    minute, hour, day, month, weekday = given
    try:
        for fields in ((minute, hour, day, "*", weekday), ("0", "0", "1", month, "*")):
            Moments(replace(schedule, cron=" ".join(fields))).after(0.0)
    except _library().CronSimError:
        return False
    return True


def check(fields: Fields, where: str, report: Report) -> None:
    """Reports what makes no sense for this service."""
    found = fields.found["schedule"]
    where = f"{where}.schedule"
    if not fields.get("one_shot"):
        report.error(found.key, f"{where}: only a job runs by the clock, and this service is not one",
                     "add `one_shot: true`, or leave `schedule` out")  # fmt: skip
    given: Fields | None = fields.get("schedule")
    if given is None or given.is_broken("cron") or "cron" not in given.found:
        return
    if (hint := _NICKNAMES.get(given.get("cron").lower())) is not None:
        report.error(given.at("cron"), f"{where}.cron: {report.quote(given.get('cron'))} has no five fields", hint)
        return
    try:
        library = _library()
        schedule = Schedule(given.get("cron"), given.get("timezone", ""))
        zone_of(schedule.timezone)
    except Missing as missing:
        report.error(found.key, f"{where}: {missing.why}", missing.hint)
        return
    except ValueError as error:
        hint = "write one such as `Europe/Madrid` or `UTC`"
        report.error(given.at("timezone"), f"{where}.timezone: {error}", hint)
        return
    try:
        first = Moments(schedule).after(0.0)
    except library.CronSimError as error:
        if _names_no_day(schedule):
            report.error(given.at("cron"), f"{where}.cron: {report.quote(schedule.cron)} never comes", _NO_SUCH_DAY)
            return
        why = f"{where}.cron: {report.quote(schedule.cron)} is no schedule: {str(error)[:1].lower()}{str(error)[1:]}"
        report.error(given.at("cron"), why, "write it as in crontab(5): `0 3 * * *` is each day at 3 o'clock")
        return
    if first == math.inf:
        report.error(given.at("cron"), f"{where}.cron: {report.quote(schedule.cron)} never comes", _NO_SUCH_DAY)
