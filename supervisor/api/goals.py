"""What somebody waits for a service to be, and whether it will get there.  Pure."""

from supervisor.control.status import AT_REST, ServiceStatus
from supervisor.words import answers

GOALS = ("listening", "ready", "healthy", "exited")
_LISTENING = ("listening", "ready")


def is_there(row: ServiceStatus, goal: str) -> bool:
    """Whether a service is where somebody waits for it to be."""
    match goal:
        case "listening":
            return row.state == "idle" or (row.state in ("starting", "running") and row.reached in _LISTENING)
        case "ready":
            return row.serves or (row.is_done and row.one_shot)
        case "healthy":
            return (row.state, row.health) == ("running", "healthy")
    return row.state in AT_REST and row.pid is None


def hopeless(row: ServiceStatus, goal: str) -> str:
    """Why a service will not get there by itself; empty while it may."""
    if goal == "exited":
        return ""
    if row.state == "failed" or (row.state == "exited" and not is_there(row, goal)):
        return answers.has_ended(row.state, row.reason)
    if goal == "healthy" and row.state == "running" and not row.checks_health:
        return answers.NO_HEALTHCHECK
    return ""
