"""Whether files can be watched as a services.yaml asks for."""

from collections.abc import Iterator
from importlib.util import find_spec

from supervisor.config.fields import Fields
from supervisor.config.report import Report
from supervisor.config.scalars import Word
from supervisor.errors import Missing

PACKAGES = ("watchfiles", "pathspec")


def check(fields: Fields, where: str, report: Report) -> None:
    """Reports what makes no sense for this service."""
    for package in PACKAGES:
        if find_spec(package) is None:
            missing = Missing("watch", ImportError(name=package))
            report.error(fields.found["watch"].key, f"{where}.watch: {missing.why}", missing.hint)
            return
    given: Fields | None = fields.get("watch")
    if given is not None and given.get("paths") == ():
        report.error(given.at("paths"), f"{where}.watch.paths: there is none", "name one, or leave `paths` out")


def words(fields: Fields) -> Iterator[tuple[str, Word]]:
    """Every text in which placeholders are filled in, with the path of its key."""
    given: Fields | None = fields.get("watch")
    action: Fields | None = given.get("action") if given else None
    for word in (action.get("run") or ()) if action else ():
        yield "watch.action.run", word
