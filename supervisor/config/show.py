"""A stack back as plain data in the shape of a services.yaml: every default filled in, secrets hidden."""

import re
from collections.abc import Mapping

from supervisor.annotations import Any
from supervisor.config.forms import usual
from supervisor.config.keys.stack import STACK
from supervisor.config.kinds import Showing
from supervisor.config.secret_names import redact
from supervisor.config.spec import StackSpec


def resolved(stack: StackSpec, reveal: bool = False) -> dict[str, Any]:
    """The values of `stack` as mappings, lists, texts and numbers; written as YAML they load as the same stack.

    With `reveal` secrets are shown.  Durations are in seconds, sizes in bytes.
    """
    data = usual.shown(STACK, stack, Showing(reveal, stack.secrets))
    if not reveal and stack.filled:
        data = _masked(data, "", stack.filled)
    shown: dict[str, Any] = _texts(data, frozenset() if reveal else stack.secrets)
    return shown


def _masked(data: Any, path: str, filled: Mapping[str, frozenset[str]]) -> Any:
    """The data without the secrets that were filled in where they are not looked for everywhere."""
    match data:
        case dict():
            return {key: _masked(value, f"{path}.{key}" if path else key, filled) for key, value in data.items()}
        case list():
            return [_masked(value, f"{path}[{number}]", filled) for number, value in enumerate(data)]
        case str():
            plain = path.replace(".command[", "[") if ".hooks." in path or ".stop_command." in path else path
            return redact(data, filled.get(plain, ()))
    return data


def _texts(data: Any, secrets: frozenset[str]) -> Any:
    """The data with secrets hidden in every text, and with `$` written so that it stays one when it is read again."""
    match data:
        case dict():
            return {key: _texts(value, secrets) for key, value in data.items()}
        case list():
            return [_texts(value, secrets) for value in data]
        case str():
            return re.sub(r"\$(?=[{$])", "$$", redact(data, secrets))
        case _:
            return data
