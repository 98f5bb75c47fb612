"""Whether services can have the names that a services.yaml gives them."""

from collections.abc import Mapping

from supervisor.config.fields import Fields, Found
from supervisor.config.report import Report
from supervisor.core.browsers import BLOCKED_BY_BROWSERS
from supervisor.core.hostnames import Names, label

LAST_PRIVILEGED = 1023


def check(stack: Fields, services: Mapping[str, Found], report: Report) -> None:
    """Reports what makes no sense."""
    names: Fields | None = stack.get("names")
    if names is None:
        return
    from supervisor.config import caddy  # few stacks need it

    place = stack.found["names"].key
    port: int = names.get("port", Names().port)
    if port in BLOCKED_BY_BROWSERS:
        hint = f"use another one, such as {Names().port}"
        report.error(names.at("port"), f"names.port: browsers refuse port {port}", hint)
    elif port <= LAST_PRIVILEGED:
        report.warn(names.at("port"), f"names.port: ports below 1024 may need root: {port}")
    taken: dict[str, str] = {}
    for name, found in services.items():
        pool: tuple[int, ...] = found.value.get("pool", ())
        if port in pool:
            reason = f"services.{name}.pool: {port} is the port of `names`"
            report.error(found.value.at("pool"), reason, "a port belongs to one service")
        if pool and taken.setdefault(label(name), name) != name:
            reason = f"services.{name}: `{name}` and `{taken[label(name)]}` both get the name `{label(name)}`"
            report.error(found.key, reason, "rename one of them, or leave out `names`")
    if not taken:
        report.warn(place, "names: no service has a `pool`, so none gets a name")
    if not caddy.found():
        report.warn(place, f"names: {caddy.MISSING}; {caddy.GET}")
