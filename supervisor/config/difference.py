"""What has changed between two versions of a services.yaml, and what that takes.  Pure."""

from supervisor.config.spec import ServiceSpec, StackSpec
from supervisor.dataclass import dataclass, fields

# What can be told to a service that runs, or takes effect when it starts the next time; all else restarts it.
LIVE = frozenset((
    "autostart", "depends_on", "description", "fetch_url", "healthcheck", "hooks", "logging", "memory_limit", "on_end",
    "on_port_change", "pid_file", "profiles", "quarantine", "ready", "restart_policy", "rotate_after", "stop_command",
    "stop_grace_period", "stop_signal", "success_exit_codes",
))  # fmt: skip
_WRITTEN_AS = {"restarts_with": "depends_on", "stop_to": "stop_signal"}
_NO_KEYS = frozenset(("name", "line"))


@dataclass(frozen=True, slots=True)
class Change:
    """One service that is configured otherwise; `keys` are those that differ."""

    name: str
    keys: tuple[str, ...]

    @property
    def restarts(self) -> bool:
        """Whether its process must be replaced for that; a changed pool may let it stay."""
        return any(key not in LIVE and key != "pool" for key in self.keys)


@dataclass(frozen=True, slots=True)
class Difference:
    """From one version to the next; `top` are the keys beside `services` that changed."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[Change, ...] = ()
    top: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The services that are touched."""
        return (*self.added, *self.removed, *(change.name for change in self.changed))

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.top)


def difference(old: StackSpec, new: StackSpec) -> Difference:
    """What becomes different; services come in the order of the new file."""
    changes = []
    for name, spec in new.services.items():
        if name in old.services and (keys := _changed_keys(old.services[name], spec)):
            if old.stride != new.stride and "pool" not in keys:
                keys = (*keys, "pool")
            changes.append(Change(name, keys))
        elif name in old.services and old.stride != new.stride and spec.pool:
            changes.append(Change(name, ("pool",)))
    top = {"files": (old.file, *old.over) != (new.file, *new.over), "name": old.name != new.name,
           "instances.stride": old.stride != new.stride, "ports.strict": old.strict_ports != new.strict_ports,
           "render": old.render != new.render}  # fmt: skip
    return Difference(
        added=tuple(name for name in new.services if name not in old.services),
        removed=tuple(name for name in old.services if name not in new.services),
        changed=tuple(changes),
        top=tuple(key for key, is_other in top.items() if is_other),
    )


def _changed_keys(old: ServiceSpec, new: ServiceSpec) -> tuple[str, ...]:
    keys = [
        _WRITTEN_AS.get(each.name, each.name)
        for each in fields(ServiceSpec)
        if each.name not in _NO_KEYS and getattr(old, each.name) != getattr(new, each.name)
    ]
    if old.wants_notices != new.wants_notices:  # its process has NOTIFY_SOCKET, or has not
        keys.append("environment")
    return tuple(dict.fromkeys(keys))
