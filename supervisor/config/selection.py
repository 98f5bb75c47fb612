"""Which services of a stack a start is about: those of the profiles that are asked for, and those named.  Pure."""

from collections.abc import Collection, Mapping

from supervisor.config.spec import ServiceSpec, StackSpec
from supervisor.config.suggest import did_you_mean
from supervisor.core.order import with_dependencies
from supervisor.errors import UsageError

EVERY = "*"  # stands for all profiles
VARIABLE = "PORTSUP_PROFILES"


def active_profiles(stack: StackSpec, asked: Collection[str], environ: Mapping[str, str]) -> frozenset[str]:
    """The profiles asked for, else those of the variable; raises UsageError for one asked for that no service has.

    The variable may be meant for several stacks, so a profile in it that this one does not know is no mistake.
    """
    known = sorted({profile for service in stack.services.values() for profile in service.profiles})
    for profile in asked:
        if profile not in known and profile != EVERY:
            hint = did_you_mean(profile, known)
            hint = hint or (f"profiles: {', '.join(known)}" if known else "no service has any `profiles`")
            raise UsageError(f"cannot use profile `{profile}`", f"{stack.file.name} has no service in it", hint)
    if asked:
        return frozenset(asked)
    return frozenset(name.strip() for name in environ.get(VARIABLE, "").split(",") if name.strip())


def starts_by_itself(service: ServiceSpec, profiles: Collection[str]) -> bool:
    """Whether `up` starts the service without being told its name."""
    return service.autostart and _is_enabled(service, profiles)


def selected(stack: StackSpec, names: Collection[str], profiles: Collection[str]) -> tuple[str, ...]:
    """The services that `up` is asked for: `names`, else all that start by themselves, in the order of the file.

    Raises UsageError where there is none, or where one needs a service whose profiles were not asked for.
    """
    found = tuple(names) or tuple(
        name for name, service in stack.services.items() if starts_by_itself(service, profiles)
    )
    if not found:
        why = "each of its services is in a profile, or has `autostart: false`"
        raise UsageError(f"cannot start `{stack.name}`", why, "name services, or profiles: `portsup up --profile NAME`")
    check_needs(stack, found, profiles)
    return found


def check_needs(
    stack: StackSpec, names: Collection[str], profiles: Collection[str], at_work: Collection[str] = ()
) -> None:
    """Raises UsageError if a start of `names` needs a service whose profiles were not asked for.

    Who names a service asks for its profiles.  One that is `at_work` already is there to be needed.
    """
    active = {*profiles, *(profile for name in names for profile in stack.services[name].profiles)}
    graph = {name: tuple(service.depends_on) for name, service in stack.services.items()}
    for name in with_dependencies(graph, names):
        for need in graph[name]:
            service = stack.services[need]
            if need not in at_work and need not in names and not _is_enabled(service, active):
                where = " or ".join(f"`{profile}`" for profile in service.profiles)
                hint = f"`portsup up --profile {service.profiles[0]}`, or name `{need}` as well"
                raise UsageError(f"cannot start `{name}`", f"it needs `{need}`, which is in profile {where}", hint)


def _is_enabled(service: ServiceSpec, profiles: Collection[str]) -> bool:
    return not service.profiles or EVERY in profiles or not set(profiles).isdisjoint(service.profiles)
