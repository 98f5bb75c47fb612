"""Checks of what has a service start when it is needed, and stop when nobody uses it."""

from supervisor.config.fields import Fields
from supervisor.config.report import Report
from supervisor.config.spec import HandoffMode, ProbeKind, Start

_OF_IDLE_STOP = ("idle_when", "idle_check")


def check(fields: Fields, where: str, report: Report) -> None:
    """Reports what cannot be of one service."""
    if fields.get("start") == Start.ON_CONNECT:
        _needs_a_socket(fields, f"{where}.start: `on-connect` waits for a client", "start", report)
    if fields.get("idle_stop"):
        _needs_a_socket(fields, f"{where}.idle_stop: its next client starts it again", "idle_stop", report)
        health: Fields | None = fields.get("healthcheck")
        if health is not None and ProbeKind.EXEC.value in health.found:
            reason = f"{where}.healthcheck: a command that connects to the service counts as its client"
            report.warn(fields.at("healthcheck"), f"{reason}, and `idle_stop` waits until all have left")
        return
    for key in _OF_IDLE_STOP:
        if key in fields.found and not fields.is_broken("idle_stop"):
            place = fields.found[key].key
            report.error(place, f"{where}.{key}: there is no `idle_stop` that it could belong to", "add `idle_stop`")
    if "idle_min_up" in fields.found and not fields.is_broken("idle_stop"):
        place = fields.found["idle_min_up"].key
        report.warn(place, f"{where}.idle_min_up: without `idle_stop` it has no effect")
    # A service that is not asked for by a client waits for room in the budget at most so long.
    takes = any(fields.get(key) for key in ("memory_cost", "gpu_memory_cost"))
    if "start_timeout" in fields.found and fields.get("start") != Start.ON_CONNECT and not takes:
        place = fields.found["start_timeout"].key
        report.warn(place, f"{where}.start_timeout: no client starts this service, so it has no effect")


def _needs_a_socket(fields: Fields, what: str, key: str, report: Report) -> None:
    place = fields.at(key)
    if "pool" not in fields.found:
        report.error(place, f"{what}, and the service has no `pool`", "give it a `pool`")
    elif fields.get("one_shot"):
        report.error(place, f"{what}, and a `one_shot` has none", "leave one of the two out")
    elif fields.get("handoff") == HandoffMode.OFF:
        reason = f"{what} on a socket of portsup, and `handoff: off` leaves the port to the program"
        report.error(place, reason, "leave `handoff` out, or use `handoff: systemd`")
