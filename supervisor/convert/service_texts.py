"""The texts of a service that may name another one: variables, and the words of its commands."""

from collections.abc import Callable, Iterator
from typing import Any

from supervisor.convert.draft import Draft
from supervisor.dataclass import dataclass


@dataclass(slots=True)
class Text:
    """One text of a service, where it is, and how to put another in its place."""

    where: str
    value: str
    put: Callable[[str], None]
    variable: str = ""


def texts(draft: Draft) -> Iterator[Text]:
    """All texts of a service that may name a neighbour."""
    for name, value in list(draft.fields.get("environment", {}).items()):
        if isinstance(value, str):
            is_of_copy = name.startswith("AT_") and name in str(draft.fields.get("hooks"))  # see web_servers
            where = "its configuration" if is_of_copy else f"the variable `{name}`"
            yield Text(where, value, _setter(draft.environment, name), name)
    places = [("the command", draft.fields, "command"), ("its `stop_command`", draft.fields, "stop_command")]
    for key in ("ready", "healthcheck"):
        probe = draft.fields.get(key)
        if isinstance(probe, dict) and "exec" in probe:
            places.append(("the health check", probe, "exec"))
    places += [(f"`{name}`", draft.fields["hooks"], name) for name in draft.fields.get("hooks", {})]
    for where, owner, key in places:
        command = owner.get(key)
        if isinstance(command, str):
            yield Text(where, command, _setter(owner, key))
        elif isinstance(command, list):
            for at, word in enumerate(command):
                yield Text(where, word, _setter(command, at))


def _setter(owner: Any, key: Any) -> Callable[[str], None]:
    def put(value: str) -> None:
        owner[key] = value

    return put
