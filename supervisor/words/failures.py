"""Why a service gave up, in words, and what to do about it."""

from supervisor.config.spec import ServiceSpec
from supervisor.core.service import Service
from supervisor.core.state import Result
from supervisor.core.stdin import Stdin, seems_to_watch
from supervisor.words.reasons import text_of

OURS = "please send the developers what `portsup events -n all` has of it"
STDIN_HINT = "such programs end with their standard input: set `stdin: open`"


def failure(svc: Service, spec: ServiceSpec) -> str:
    """Why a service gave up, and what to do about it."""
    ran = f"`{' '.join(spec.command)}` in {spec.working_dir}"
    if svc.never_listened:
        ran += f"; {other_port_hint(spec.port_env)}"
    elif svc.exit_code == 0 and ends_with_stdin(spec):
        ran += f"; {STDIN_HINT}"
    match svc.result:
        case Result.HOOK_FAILED:
            return f"cannot start: {text_of(svc.reason)}\n  {_next(svc)}"
        case Result.SPAWN_FAILED:
            return f"cannot start: {text_of(svc.reason)}"
        case Result.NO_PORT:
            return text_of(svc.reason)
        case Result.DEPENDENCY:
            return f"does not start: {text_of(svc.reason)}"
        case Result.START_LIMIT:
            return f"gave up: {text_of(svc.reason)}\n  it runs {ran}\n  {_next(svc)}"
        case Result.UNHEALTHY:
            return f"gave up: {text_of(svc.reason)}\n  {_next(svc)}"
        case Result.LOCK_LOST:
            return text_of(svc.reason)
        case Result.INTERNAL_ERROR:
            return f"gave up: {text_of(svc.reason)}\n  {OURS}; {_next(svc)}"
        case Result.TIMEOUT if svc.pid is not None:
            who = text_of(svc.reason) if svc.survivor else f"process {svc.pid} is {text_of(svc.reason)}"
            return f"{who}; its port stays reserved, and `portsup start {svc.name}` starts it all the same"
    return f"failed: {text_of(svc.reason)}\n  it ran {ran}\n  {_next(svc)}"


def ends_with_stdin(spec: ServiceSpec) -> bool:
    """Whether a program that ends with its standard input has none."""
    return spec.stdin is Stdin.NULL and not spec.one_shot and seems_to_watch(spec.command)


def other_port_hint(variable: str) -> str:
    """What to do about a program that does not listen where it should; `variable` has its port."""
    return f"make it listen on ${variable}, or put {{port}} into its command"


def _next(svc: Service) -> str:
    return f"`portsup logs {svc.name}` has what it printed; fix it, then run `portsup start {svc.name}`"
