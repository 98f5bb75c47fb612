"""What a row of the table is made of: fates, and which services meet them."""

import re
from collections.abc import Callable

from supervisor.config.secret_names import is_secret_name
from supervisor.config.spec import BindMode, Condition, HandoffMode, ProbeKind, ServiceSpec, Start
from supervisor.core.restart import Restart
from supervisor.core.schedule import Overlap
from supervisor.dataclass import dataclass
from supervisor.export.calendar import moments
from supervisor.export.model import Fate, Target

# But for what `addresses` follows.
_LOOPBACK_ADDRESS = re.compile(r"(?:127\.0\.0\.1|\blocalhost\b|\[::1\])(?!:\{port:)")
When = Callable[[ServiceSpec], bool]


@dataclass(frozen=True, slots=True)
class Cell:
    """What becomes of a key in one target; `when` a service meets it, None for one that says the key at all."""

    fate: Fate
    why: str = ""
    when: When | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One or several keys, by path, with what becomes of them in each target."""

    keys: tuple[str, ...]
    cells: tuple[Cell, Cell, Cell, Cell]

    def of(self, target: Target) -> Cell:
        """What becomes of them there."""
        return self.cells[tuple(Target).index(target)]


def row(keys: str, systemd: Cell, quadlet: Cell, compose: Cell, kubernetes: Cell) -> Row:
    return Row(tuple(keys.split()), (systemd, quadlet, compose, kubernetes))


def changed(why: str, when: When | None = None) -> Cell:
    return Cell(Fate.CHANGED, why, when)


def lost(why: str, when: When | None = None) -> Cell:
    return Cell(Fate.LOST, why, when)


def kept(why: str) -> Cell:
    return Cell(Fate.KEPT, why)


def unneeded(why: str) -> Cell:
    return Cell(Fate.UNNEEDED, why)


def never(spec: ServiceSpec) -> bool:
    return False


def has_spares(spec: ServiceSpec) -> bool:
    return len(spec.pool) > 1


def is_handed_over(spec: ServiceSpec) -> bool:
    return bool(spec.pool) and spec.handoff is HandoffMode.AUTO


def has_handoff(spec: ServiceSpec) -> bool:
    return bool(spec.pool) and spec.handoff is not HandoffMode.OFF


def waits_longer(spec: ServiceSpec) -> bool:
    policy = spec.restart_policy
    return policy.restart is not Restart.NEVER and policy.factor > 1 and policy.max_delay > policy.delay


def restarts(spec: ServiceSpec) -> bool:
    return spec.restart_policy.restart is not Restart.NEVER


def starts_with_the_target(spec: ServiceSpec) -> bool:
    return spec.start is Start.ON_CONNECT and spec.handoff is not HandoffMode.SYSTEMD


def has_schedule(spec: ServiceSpec) -> bool:
    return spec.schedule is not None


def is_queued(spec: ServiceSpec) -> bool:
    return spec.schedule is not None and spec.schedule.overlap is Overlap.QUEUE


def has_no_timer(spec: ServiceSpec) -> bool:
    return spec.schedule is not None and not moments(spec.schedule)


def is_scaled_with_a_port(spec: ServiceSpec) -> bool:
    return spec.replicas > 1 and bool(spec.pool)


def has_watch(spec: ServiceSpec) -> bool:
    return spec.watch is not None


def has_stdio(spec: ServiceSpec) -> bool:
    return spec.stdio is not None


def may_rest(spec: ServiceSpec) -> bool:
    return spec.restart_policy.restart is not Restart.ALWAYS and not spec.one_shot


def gives_up(spec: ServiceSpec) -> bool:
    return restarts(spec) and not spec.restart_policy.is_endless and not spec.one_shot


def is_always_limited(spec: ServiceSpec) -> bool:
    return spec.restart_policy.restart is Restart.ALWAYS and not spec.restart_policy.is_endless


def checks_twice(spec: ServiceSpec) -> bool:
    kinds = (ProbeKind.HTTP, ProbeKind.TCP, ProbeKind.EXEC)
    return (
        spec.healthcheck is not None and spec.ready.probe.kind in kinds and spec.ready.probe != spec.healthcheck.probe
    )


def waits_for(*conditions: Condition) -> When:
    return lambda spec: any(how in conditions for how in spec.depends_on.values())


def has_secrets(spec: ServiceSpec) -> bool:
    return any(is_secret_name(name) and value.strip() for name, value in spec.environment.items())


def says_loopback(spec: ServiceSpec) -> bool:
    return any(_LOOPBACK_ADDRESS.search(word) for word in spec.command)


def tells_loopback(spec: ServiceSpec) -> bool:
    return any(_LOOPBACK_ADDRESS.search(value) for name, value in spec.environment.items() if name != "HOST")


def has_check(spec: ServiceSpec) -> bool:
    return spec.healthcheck is not None


def is_restarted_with(spec: ServiceSpec) -> bool:
    return bool(spec.restarts_with)


def is_ready_by(kind: ProbeKind) -> When:
    return lambda spec: spec.ready.probe.kind is kind


def has_named_user(spec: ServiceSpec) -> bool:
    return any(each and not each.isdecimal() for each in (spec.user, spec.group)) or has_group_alone(spec)


def has_group_alone(spec: ServiceSpec) -> bool:
    """Whether it has a group without a user, which engines of containers take together only."""
    return bool(spec.group and not spec.user)


def says(word: str) -> When:
    return lambda spec: spec.bind is BindMode(word) and bool(spec.pool)


KEPT = Cell(Fate.KEPT)
INSIDE = Cell(Fate.KEPT, "by portsup in the container")
FIXED = unneeded("a service has one port there")
ONCE = unneeded("it is resolved before the export")
WRITTEN_OUT = kept("its variables are written out, because every program reads such files in its own way")
