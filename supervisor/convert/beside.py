"""Commands that are run beside a service (checks, hooks, `stop_command`): they follow it to the port that it gets."""

import re
from collections.abc import Collection
from typing import Any

from supervisor.config import interpolate, placeholders
from supervisor.convert.draft import Draft, Filled

_HOST = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])"
_OPTIONS = ("-p", "--port")
_WITHOUT_PORT = re.compile(r"(http://(?:localhost|127\.0\.0\.1))(?![:\w.-])", re.ASCII)


def follow(draft: Draft) -> None:
    """Put `{port}` in place of the service's own port, as the source names it, in the commands beside it."""
    numbers = {*draft.ports[:1], *draft.inner}
    if not draft.has_pool or not numbers:
        return
    for key in ("ready", "healthcheck"):
        probe = draft.fields.get(key)
        if isinstance(probe, dict) and "exec" in probe:
            draft.fields[key] = {**probe, "exec": _words(probe["exec"], numbers)}
    if "stop_command" in draft.fields:
        draft.fields["stop_command"] = _words(draft.fields["stop_command"], numbers)
    if hooks := draft.fields.get("hooks"):
        draft.fields["hooks"] = {name: _words(command, numbers) for name, command in hooks.items()}


def _words(command: Any, numbers: Collection[int]) -> Any:
    if not isinstance(command, list):
        return command
    ports = "|".join(map(str, sorted(numbers)))
    inside = re.compile(rf"({_HOST}(?::|/|\s+)|(?:-p|--port)(?:\s+|=))(?:{ports})(?![\d.])", re.ASCII)
    return [_word(word, before, inside, numbers) for before, word in zip(["", *command[:-1]], command, strict=True)]


def _word(word: str, before: str, inside: re.Pattern[str], numbers: Collection[int]) -> str:
    if word.isdecimal() and int(word[:6]) in numbers and (before in _OPTIONS or re.fullmatch(_HOST, before)):
        return Filled("{port}")
    text = word if isinstance(word, Filled) else placeholders.literally(interpolate.literally(word))
    found = inside.sub(r"\1{port}", text)
    if 80 in numbers:
        found = _WITHOUT_PORT.sub(r"\1:{port}", found)
    return Filled(found) if found != text else word
