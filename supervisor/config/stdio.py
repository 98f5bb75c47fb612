"""Programs on standard input and output held against what cannot be."""

from importlib.util import find_spec

from supervisor.config.fields import Fields
from supervisor.config.report import Report
from supervisor.config.spec import HandoffMode, Share
from supervisor.errors import Missing


def check(fields: Fields, where: str, report: Report) -> None:
    """Reports what makes no sense for this service."""
    key = fields.found["stdio"].key
    for package in ("mcp", "uvicorn"):
        if find_spec(package) is None:
            missing = Missing("mcp", ImportError(name=package))
            report.error(key, f"{where}.stdio: {missing.why}", missing.hint)
            return
    if "pool" not in fields.found and not fields.get("one_shot"):
        report.error(key, f"{where}.stdio: portsup serves the program on a port, and there is no `pool`",
                     "give it a `pool`")  # fmt: skip
    if fields.get("one_shot"):
        report.error(key, f"{where}.stdio: a `one_shot` is no server", "leave one of the two out")
    if fields.get("handoff") == HandoffMode.SYSTEMD:
        report.error(fields.at("handoff"), f"{where}.handoff: portsup itself listens for a program with `stdio`",
                     "leave `handoff` out")  # fmt: skip
    if "stdin" in fields.found:
        report.error(fields.at("stdin"), f"{where}.stdin: with `stdio` it is what clients say", "leave `stdin` out")
    given: Fields | None = fields.get("stdio")
    if given is not None and "max" in given.found and given.get("share") != Share.PER_SESSION:
        reason = f"{where}.stdio.max: one program serves all clients, however many"
        report.warn(given.at("max"), f"{reason}; leave `max` out, or write `share: per-session`")
