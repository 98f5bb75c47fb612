"""The directories and files of a service held against what is on the disk."""

import os.path

from supervisor.config.fields import Fields
from supervisor.config.report import Report
from supervisor.config.spec import ServiceSpec


def check(spec: ServiceSpec, fields: Fields, where: str, report: Report) -> None:
    """Reports what is not there, or is something else."""
    if os.path.isdir(spec.working_dir):
        _check_watched(spec, fields, where, report)
    elif "working_dir" in fields.found and not fields.is_broken("working_dir"):
        shown = report.quote(fields.get("working_dir"))
        if os.path.exists(spec.working_dir):
            report.error(fields.at("working_dir"), f"{where}.working_dir: {shown} is not a directory")
        else:
            report.warn(fields.at("working_dir"), f"{where}.working_dir: there is no directory {shown} yet")


def _check_watched(spec: ServiceSpec, fields: Fields, where: str, report: Report) -> None:
    given: Fields | None = fields.get("watch")
    if spec.watch is None or given is None or "paths" not in given.found:
        return
    for path in spec.watch.paths:
        if not os.path.exists(os.path.join(spec.working_dir, path)):
            reason = f"{where}.watch.paths: there is no {report.quote(path)} here, so portsup cannot watch it"
            report.warn(given.at("paths"), reason)
            return
