"""Services of several processes held against what cannot be of more than one."""

from collections.abc import Mapping

from supervisor.config.fields import Fields, Found
from supervisor.config.report import Report
from supervisor.config.spec import HandoffMode
from supervisor.core.naming import replica_name


def check(name: str, services: Mapping[str, Found], where: str, report: Report) -> None:
    """Reports what speaks against the `replicas` or the `min_ready` of one service."""
    fields: Fields = services[name].value
    replicas, least = fields.get("replicas", 1), fields.get("min_ready", 0)
    if least > replicas and not fields.is_broken("replicas"):
        reason = f"{where}.min_ready: only {replicas} of its `replicas` can be ready"
        report.error(fields.at("min_ready"), reason, f"write {replicas} or less, or raise `replicas`")
    if replicas == 1:
        return
    key = fields.found["replicas"].key
    if fields.get("one_shot"):
        report.error(key, f"{where}.replicas: a `one_shot` runs once", "leave one of the two out")
    if "stdio" in fields.found:
        reason = f"{where}.replicas: the sessions of a program with `stdio` are in one process"
        report.error(key, reason, "leave it out; `stdio: {share: per-session}` runs a program for each client")
    if "pid_file" in fields.found:
        reason = f"{where}.pid_file: each of the `replicas` would overwrite it"
        report.error(fields.at("pid_file"), reason, "leave one of the two out")
    if "pool" in fields.found and fields.get("handoff") == HandoffMode.OFF:
        reason = f"{where}.replicas: they share a socket that portsup keeps, and with `handoff: off` there is none"
        report.error(key, reason, "leave `handoff` out, or use `handoff: systemd`")
    for number in range(1, replicas + 1):
        if (other := services.get(replica_name(name, number))) is not None:
            reason = f"services.{replica_name(name, number)}: this is the name of a replica of `{name}`"
            report.error(other.key, reason, "rename one of the two")
