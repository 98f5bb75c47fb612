"""What has changed between two versions of a services.yaml, and what that takes.  Pure."""

from collections.abc import Iterator

from supervisor.annotations import Any
from supervisor.config.changes import Change, Difference
from supervisor.config.forms.usual import fields_of
from supervisor.config.keys.service import SERVICE
from supervisor.config.keys.stack import STACK
from supervisor.config.kinds import Key, Section
from supervisor.config.spec import ServiceSpec, StackSpec


def live_keys() -> frozenset[str]:
    """What can be told to a service that runs, or takes effect at its next start; all else restarts it."""
    return frozenset(key.name for key in SERVICE.keys if key.is_live)


def difference(old: StackSpec, new: StackSpec) -> Difference:
    """What becomes different; services come in the order of the new file."""
    changes, live = [], live_keys()
    for name, spec in new.services.items():
        if name in old.services and (keys := _changed_keys(old.services[name], spec)):
            if old.stride != new.stride and "pool" not in keys:
                keys = (*keys, "pool")
            changes.append(Change(name, keys, any(key not in live and key != "pool" for key in keys)))
        elif name in old.services and old.stride != new.stride and spec.pool:
            changes.append(Change(name, ("pool",)))
    has_other_files = (old.file, *old.over) != (new.file, *new.over)
    return Difference(
        added=tuple(name for name in new.services if name not in old.services),
        removed=tuple(name for name in old.services if name not in new.services),
        changed=tuple(changes),
        top=(*(("files",) if has_other_files else ()), *_changed_paths(old, new)),
    )


def _changed_keys(old: ServiceSpec, new: ServiceSpec) -> tuple[str, ...]:
    keys = [key.name for key in SERVICE.keys if _is_changed(key, old, new)]
    if old.wants_notices != new.wants_notices:  # its process has NOTIFY_SOCKET, or has not
        keys.append("environment")
    return tuple(dict.fromkeys(keys))


def _is_changed(key: Key, old: Any, new: Any) -> bool:
    return any(getattr(old, field) != getattr(new, field) for field in fields_of(key))


def _changed_paths(old: StackSpec, new: StackSpec) -> Iterator[str]:
    """The keys of a stack with other values, down to those inside of a section."""
    for key in STACK.keys:
        inner = key.kind.keys if isinstance(key.kind, Section) else ()
        names = {field: f"{key.name}.{each.name}" for each in inner for field in fields_of(each)}
        for field in fields_of(key):
            if getattr(old, field) != getattr(new, field):
                yield names.get(field, key.name)
