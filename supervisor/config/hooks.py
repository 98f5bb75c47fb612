"""The commands that are run at certain points of a service's life: read, and held against what cannot be."""

from collections.abc import Iterator

from supervisor.config.fields import Fields
from supervisor.config.report import Report
from supervisor.config.scalars import Word
from supervisor.config.spec import HookCommand
from supervisor.core.state import Hook

STOPPING = (Hook.PRE_STOP, Hook.STOP_COMMAND)


def command(fields: Fields | None) -> HookCommand | None:
    """One of them, None where it is left out or cannot be read."""
    words: tuple[Word, ...] = fields.get("command", ()) if fields else ()
    if not fields or not words:
        return None
    return HookCommand(tuple(word.text for word in words), fields.get("timeout", HookCommand(()).timeout))


def hooks(fields: Fields) -> dict[Hook, HookCommand]:
    """Those of a service, but for `stop_command`."""
    found = {hook: command(given) for hook, _, given in _given(fields) if hook is not Hook.STOP_COMMAND}
    return {hook: each for hook, each in found.items() if each is not None}


def words(fields: Fields) -> Iterator[tuple[str, Word]]:
    """Every text in which placeholders are filled in, with the path of its key."""
    for _, path, given in _given(fields):
        for word in given.get("command", ()):
            yield path, word


def commands(fields: Fields) -> Iterator[tuple[str, tuple[Word, ...]]]:
    """The words of each, with the path of its key."""
    for _, path, given in _given(fields):
        is_short = "command" in given.found and given.found["command"].key == given.place
        yield path if is_short else f"{path}.command", given.get("command", ())


def check(fields: Fields, where: str, report: Report) -> None:
    """Reports what makes no sense for this service."""
    half = fields.get("stop_grace_period", 10.0) / 2
    for hook, path, given in _given(fields):
        if hook in (Hook.POST_START, Hook.PRE_STOP) and fields.get("one_shot"):
            reason = f"{where}.{path}: a `one_shot` is over when it is ready, so this would never run"
            report.error(given.place, reason, "use `pre_start` or `post_stop`")
        elif hook in STOPPING and given.get("timeout", 0.0) > half:
            reason = f"{where}.{path}: gets at most half of `stop_grace_period`, {half:g} s"
            report.warn(given.at("timeout"), f"{reason}; make that longer")


def _given(fields: Fields) -> Iterator[tuple[Hook, str, Fields]]:
    own: Fields = fields.get("hooks") or Fields()
    for hook in Hook:
        section = fields if hook is Hook.STOP_COMMAND else own
        given: Fields | None = section.get(hook)
        if given is not None:
            yield hook, str(hook) if hook is Hook.STOP_COMMAND else f"hooks.{hook}", given
