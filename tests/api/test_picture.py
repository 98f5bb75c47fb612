"""The picture of a stack that one thread keeps up to date while others look at it."""

from supervisor.api.picture import Picture
from supervisor.control.status import ServiceStatus
from supervisor.control.updates import Update


def row(name: str) -> ServiceStatus:
    return ServiceStatus(name, 1, "running", "", "none", None, None, None, None, 0, None, None, ())


def test_who_looks_at_all_services_is_not_disturbed_by_those_that_come_and_go() -> None:
    picture = Picture()
    picture.apply(Update("run-1", 1, changed=(row("api"), row("db"))))
    looks = iter(picture.services.values())
    seen = [next(looks).name]
    picture.apply(Update("run-1", 2, changed=(row("web"),)))
    picture.apply(Update("run-1", 3, removed=("db",)))
    seen += [each.name for each in looks]
    assert seen == ["api", "db"]
    assert list(picture.services) == ["api", "web"]
