"""The rules between the services of a stack: gates, followers, the order of a stop, and the end of all.  Pure.

Each rule looks at members (`core.relations`) and says what is to be told to whom; the daemon tells it, and a random
walk holds the rules to what they promise.
"""

from collections.abc import Collection, Iterable, Mapping

from supervisor.core import events as ev
from supervisor.core.conditions import Verdict, is_done, why_hopeless
from supervisor.core.ending import Abort, OnEnd, ends_all
from supervisor.core.order import Condition, to_restart
from supervisor.core.reasons import NeedsRestarted
from supervisor.core.relations import Member, Relations
from supervisor.core.replicas import folded, judge_all
from supervisor.core.service import Service
from supervisor.core.state import AT_REST, CAN_STAY, ENDED, IS_ENDING, IS_LIVE, Result, State
from supervisor.errors import ExitCode

STARTABLE = AT_REST | IS_ENDING | {State.IDLE, State.BACKOFF}  # others start already


def gate(member: Member, members: Mapping[str, Member]) -> ev.DependenciesMet | ev.DependencyFailed | None:
    """What its dependencies say to a service that would like to start; None where it has to wait, or would not."""
    svc = member.service
    is_blocked = svc.state is State.FAILED and svc.result is Result.DEPENDENCY
    if svc.state is not State.WAITING and not (is_blocked and member.is_wanted):
        return None
    verdicts = {need: verdict_on(members.get(need), condition) for need, condition in member.needs.items()}
    if all(verdict is Verdict.MET for verdict in verdicts.values()):
        return ev.DependenciesMet()
    lost = [need for need, verdict in verdicts.items() if verdict is Verdict.HOPELESS]
    if not lost or is_blocked:
        return None
    return ev.DependencyFailed(why_hopeless([(member.needs[need], whole(members[need])) for need in lost]))


def to_wake(member: Member, members: Mapping[str, Member]) -> list[str]:
    """The dependencies that wait for a client, and that a service which would like to start needs now."""
    if member.service.state is not State.WAITING:
        return []
    needed = (each for need in member.needs if need in members for each in members[need].replicas)
    return [each.service.name for each in needed if each.service.state is State.IDLE]


def verdict_on(need: Member | None, condition: Condition) -> Verdict:
    """How one dependency stands; one that a reload removes is waited for until that says what is needed now."""
    if need is None:
        return Verdict.NOT_YET
    return judge_all(condition, [(each.service, each.is_wanted) for each in need.replicas], need.least)


def whole(member: Member) -> Service:
    """The service that a member and its replicas are together."""
    return folded([each.service for each in member.replicas], member.least)


def followers(members: Mapping[str, Member], relations: Relations) -> dict[str, ev.RestartRequested]:
    """Those whose dependency has another process than they knew, in the order in which they are restarted now.

    What is stopped stays so, and what is about to start sees the new process.
    """
    changed: dict[str, list[str]] = {}
    for name in relations.followers():
        member = members[name]
        if member.service.state in IS_LIVE:
            changed[name] = [need for need in member.restarts_with if has_restarted(need, member, members)]
    if not any(changed.values()):
        return {}
    passing = [name for name, member in members.items() if member.service.state not in CAN_STAY]
    restarts: dict[str, ev.RestartRequested] = {}
    for name in to_restart(relations.graph(), changed, passing):
        restarts[name] = ev.RestartRequested(NeedsRestarted(tuple(sorted(changed[name]))))
    return restarts


def has_restarted(need: str, member: Member, members: Mapping[str, Member]) -> bool:
    """Whether `need` is up, or done, with another process than there was when that of `member` was spawned."""
    other = members.get(need)
    if other is None or not ((svc := whole(other)).state is State.RUNNING or is_done(svc)):
        return False
    return other.starts != member.seen_starts.get(need, other.starts)


def moved(member: Member, members: Mapping[str, Member]) -> dict[str, int]:
    """The dependencies that run on another port than the process of `member` was told, and that port (0 for none)."""
    if member.service.state not in IS_LIVE:
        return {}
    needed = {need: whole(members[need]) for need in member.needs if need in members}
    return {
        need: svc.port or 0
        for need, svc in needed.items()
        if svc.state is State.RUNNING and member.seen_ports.get(need) != svc.port
    }


def to_stop(rested: Iterable[str], busy: Collection[str], relations: Relations, *, in_order: bool) -> set[str]:
    """Who may be asked to stop now that these have changed; in order, nobody on whom somebody busy depends."""
    concerned = {each for name in rested for each in (name, *relations.needs(name))}
    found = concerned.intersection(busy)
    if in_order:
        found = {name for name in found if not any(other in busy for other in relations.dependants(name))}
    return found


def has_nothing_left(members: Mapping[str, Member], relations: Relations, *, is_detached: bool) -> bool:
    """Whether all that should run has ended by itself.

    One that was stopped may be started again, and so may those that are not started because of it.  In the background
    so may a server that others need and that has ended without a failure: `status` tells of it.
    """
    wanted = [name for name, member in members.items() if member.is_wanted]
    if not wanted or any(may_run_again(members[name].service) for name in wanted):
        return False
    blocked = [name for name in wanted if members[name].service.result is Result.DEPENDENCY]
    may_return = is_detached and relations.need_a_server_that_ended(blocked)
    return not (may_return or relations.need_a_stopped_one(blocked))


def may_run_again(svc: Service) -> bool:
    """Whether more will come of it by itself: it has not ended, or the clock starts it again."""
    return svc.state not in ENDED or svc.is_scheduled


def is_the_end(svc: Service, on_end: OnEnd, abort: Abort, relations: Relations) -> bool:
    """Whether everything has to stop because `svc` has ended; one whose need was stopped by hand may yet start."""
    is_held_up = svc.result is Result.DEPENDENCY and relations.need_a_stopped_one([svc.name])
    return ends_all(svc, on_end, abort) and not is_held_up


def exit_code(services: Iterable[Service]) -> ExitCode:
    """What `up` returns if it ends now and nothing else is the matter."""
    failed = [svc for svc in services if svc.state is State.FAILED]
    if any(svc.result is Result.UNHEALTHY for svc in failed):
        return ExitCode.UNHEALTHY
    return ExitCode.GAVE_UP if failed else ExitCode.OK
