"""Whom somebody waits for, and why, in words."""

from collections.abc import Collection

from supervisor.core.reasons import NoRoom
from supervisor.core.service import Service
from supervisor.core.state import Beside, Role, State
from supervisor.words.reasons import text_of


def sentence(svc: Service, needs: Collection[str], now: float) -> str:
    """Why one service is waited for, and how long that can last; `needs` are those that it waits for itself."""
    left = f"{max(0.0, svc.deadline - now):.0f} s" if svc.deadline is not None else ""
    if svc.beside is not None and svc.state is State.RUNNING:
        return _words_of_roll(svc, svc.beside, now)
    match svc.state:
        case State.STARTING:
            why = text_of(svc.missing) or f"not {'done' if svc.one_shot else 'ready'} yet"
            return f"waiting for {svc.name}{f' ({left} left)' if left else ''}: {why}"  # a terminal may cut its end
        case State.PREPARING | State.CLEANING | State.TERMINATING if svc.hook is not None:
            left = f"{max(0.0, svc.hook.deadline - now):.0f} s"
            return f"waiting for {svc.name}, whose {svc.hook.hook} runs ({left} left)"
        case State.WAITING if isinstance(svc.reason, NoRoom):
            return f"waiting for {svc.name}{f' ({left} left)' if left else ''}: {text_of(svc.reason)}"
        case State.WAITING if needs:
            return f"waiting for {svc.name}, which needs {', '.join(needs)}"
        case State.BACKOFF:
            return f"waiting for {svc.name}, which restarts" + (f" in {left}" if left else "")
        case State.TERMINATING if svc.pid is not None:
            return f"waiting for {svc.name} (pid {svc.pid}" + (f", killed in {left})" if left else ")")
        case _ if svc.pid is not None:
            return f"waiting for {svc.name} (pid {svc.pid})"
        case _:
            return f"waiting for {svc.name}"


def waiting_for_more(count: int) -> str:
    """How many others are waited for."""
    return f"waiting for {count} more"


def _words_of_roll(svc: Service, beside: Beside, now: float) -> str:
    left = "" if beside.deadline is None else f"{max(0.0, beside.deadline - now):.0f} s"
    if beside.role is Role.SUCCESSOR:
        why = text_of(beside.trouble) or "not ready yet"
        who = f"pid {beside.pid}, which is to replace pid {svc.pid}"
        return f"waiting for {svc.name}{f' ({left} left)' if left else ''}: {who}: {why}"
    return f"waiting for {svc.name}: pid {beside.pid}, which was replaced" + (f" (killed in {left})" if left else "")
