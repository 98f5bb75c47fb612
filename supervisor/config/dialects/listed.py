"""A list of services, as pm2 has it, as the mapping that it should be."""

from supervisor.config.dialects.advice import folded
from supervisor.config.scalars import tidy_name
from supervisor.config.tree import Entry, Mapping, Scalar, Sequence


def as_mapping(node: Sequence) -> Mapping:
    """Each item under the name that it gives itself; one without a name under its number."""
    entries: dict[str, Entry] = {}
    for number, item in enumerate(node.items):
        if not isinstance(item, Mapping):
            continue
        inner = item.entries[0] if len(item.entries) == 1 else None
        if inner is not None and isinstance(inner.value, Mapping) and folded(inner.key.text) != "environment":
            entries.setdefault(inner.key.text, inner)  # `- web: {command: …}`
            continue
        names = (each.value for each in item if folded(each.key.text) in ("name", "program", "containername"))
        own = next((value.text for value in names if isinstance(value, Scalar)), "")
        name = tidy_name(own) or f"service-{number + 1}"
        rest = tuple(each for each in item if folded(each.key.text) != "name")
        key = Scalar(item.place, name, quoted=True)
        entries.setdefault(name, Entry(key, Mapping(item.place, rest)))
    return Mapping(node.place, tuple(entries.values()))
