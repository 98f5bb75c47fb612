"""Which rows of the table a stack meets in a target: the table of what is lost."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from supervisor.config.forms import usual
from supervisor.config.keys.stack import STACK
from supervisor.config.kinds import Showing
from supervisor.config.spec import HookCommand, ServiceSpec, StackSpec
from supervisor.export.alone import everything
from supervisor.export.alone import plain as plain_one
from supervisor.export.model import Fate, Loss, Target
from supervisor.export.table.fates import Row
from supervisor.export.table.rows import ROWS

WIDTH = 100
_REPORTED = (Fate.CHANGED, Fate.LOST)


def losses(stack: StackSpec, services: Mapping[str, ServiceSpec], target: Target) -> tuple[Loss, ...]:
    """Each row that some service, or the stack itself, meets, in the order of the table."""
    of_stack = usual.shown(STACK, stack, Showing(reveal=True))
    plain = {name: everything(spec) for name, spec in services.items()}
    usually = {name: everything(plain_one(spec)) for name, spec in services.items()}
    found = []
    for row in ROWS:
        cell = row.of(target)
        if cell.fate not in _REPORTED:
            continue
        if row.keys[0].startswith("render."):
            if of_stack.get("render"):
                found.append(Loss("render", cell.fate, cell.why))
            continue
        if cell.when is not None:
            names = tuple(name for name, spec in services.items() if cell.when(spec))
        else:
            names = tuple(name for name in services if _said(plain[name], usually[name], row))
        if names:
            said = dict.fromkeys(key for name in names for key in _said(plain[name], usually[name], row))
            found.append(Loss(_shown(tuple(said) or row.keys), cell.fate, cell.why, names))
    return tuple(found)


def lines(found: tuple[Loss, ...], count: int) -> list[str]:
    """The table for a person: key, fate, why, and for which of the `count` services."""
    if not found:
        return []
    shown = ["not the same there:"]
    for loss in found:
        who = "" if not loss.services else _who(loss.services, count)
        shown += textwrap.wrap(
            f"{loss.key} ({loss.fate}){who}: {loss.why}", WIDTH, initial_indent="  ", subsequent_indent="      ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    return shown


def of_service(found: tuple[Loss, ...], service: str) -> tuple[Loss, ...]:
    """Those that are about one service."""
    return tuple(Loss(loss.key, loss.fate, loss.why) for loss in found if service in loss.services)


def comment(texts: list[str]) -> Iterator[str]:
    """Lines as comments of YAML, and of units."""
    yield from (f"# {text}".rstrip() for text in texts)


def _who(services: tuple[str, ...], count: int) -> str:
    return "" if len(services) == count and count > 1 else f" of {', '.join(services)}"


def _said(data: dict[str, Any], usually: dict[str, Any], row: Row) -> list[str]:
    """The keys of a row that a service says, and not only by default."""
    return [key for key in row.keys if _at(data, key) not in (None, _at(usually, key), _default(key))]


def _default(key: str) -> float | None:
    """What holds below a key that is not there by default."""
    is_of_hook = key.endswith(".timeout") and key.startswith(("hooks.", "stop_command."))
    return HookCommand(()).timeout if is_of_hook else None


def _at(data: Any, key: str) -> Any:
    for name in key.split("."):
        data = data.get(name) if isinstance(data, dict) else None
    return data


def _shown(keys: tuple[str, ...]) -> str:
    """Some keys in short: one or two as they are, more by what they are below."""
    return ", ".join(keys if len(keys) < 3 else dict.fromkeys(key.split(".")[0] for key in keys))
