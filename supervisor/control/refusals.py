"""What a daemon refuses, as the errors that the command line shows."""

from supervisor.errors import (
    ConfigError,
    ExitCode,
    InstanceTaken,
    LockLost,
    NotFound,
    PoolExhausted,
    PortsupError,
    Problem,
    UsageError,
    WaitTimedOut,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KINDS: dict[int, type[PortsupError]] = {
    ExitCode.USAGE: UsageError,
    ExitCode.NOT_FOUND: NotFound,
    ExitCode.LOCK_LOST: LockLost,
    ExitCode.INSTANCE_TAKEN: InstanceTaken,
    ExitCode.WAIT_TIMEOUT: WaitTimedOut,
}


def error_from(report: object) -> PortsupError:
    """The error that a daemon's error line tells of, as the kind that has its exit code."""
    if not isinstance(report, dict):
        return PortsupError("cannot do it", "the daemon refused without saying why")
    what, why, hint = (str(report.get(key) or "") for key in ("what", "why", "hint"))
    try:
        code = ExitCode(int(report.get("exit_code") or 1))
    except (TypeError, ValueError):
        code = ExitCode.FAILURE
    what = what or "cannot do it"
    error: PortsupError
    if isinstance(report.get("problems"), list):
        error = ConfigError(what, _problems(report["problems"]), why, hint)
    elif code is ExitCode.POOL_EXHAUSTED:
        error = PoolExhausted(what, _reasons(report.get("reasons")), why, hint)
    else:
        error = _KINDS.get(code, PortsupError)(what, why, hint)
    error.exit_code = code
    return error


def _problems(given: "list[Any]") -> list[Problem]:
    kinds = (str, int, int, str, str)
    return [
        Problem(*each)
        for each in given
        if isinstance(each, list) and len(each) == len(kinds) and all(map(isinstance, each, kinds))
    ]


def _reasons(given: object) -> list[tuple[int, str]]:
    pairs = given if isinstance(given, list) else []
    return [(pair[0], str(pair[1])) for pair in pairs if isinstance(pair, list) and len(pair) == 2]
