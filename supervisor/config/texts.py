"""Every text of a service that placeholders are filled in."""

from collections.abc import Iterator

from supervisor.config.fields import Fields, Found, has_hooks
from supervisor.config.scalars import Word


def words(fields: Fields) -> Iterator[tuple[str, Word]]:
    """Every text that placeholders are filled in, with the path of its key."""
    for key, item in fields.found.items():
        if isinstance(item.value, Word):
            yield key, item.value
        elif isinstance(item.value, tuple):
            yield from ((key, word) for word in item.value if isinstance(word, Word))
    if has_hooks(fields):
        from supervisor.config import hooks

        yield from hooks.words(fields)
    if "watch" in fields.found:
        from supervisor.config import watches

        yield from watches.words(fields)
    own: dict[str, Found] = fields.get("environment", {})
    for name, item in own.items():
        if isinstance(item.value, Word):
            yield f"environment.{name}", item.value
    for key in ("ready", "healthcheck"):
        probe: Fields | None = fields.get(key)
        for kind, item in probe.found.items() if probe else ():
            if isinstance(item.value, Word):
                yield f"{key}.{kind}", item.value
            elif isinstance(item.value, Fields):
                from supervisor.config import questions

                yield from ((f"{key}.{kind}.{path}", word) for path, word in questions.words(item.value))
            elif isinstance(item.value, tuple):
                for word in item.value:
                    yield f"{key}.{kind}", word
