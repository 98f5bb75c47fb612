"""Calls several that give something back, each whatever became of those before it."""

from collections.abc import Callable, Iterable

from supervisor.annotations import Any

Act = tuple[Callable[..., object], *tuple[Any, ...]]  # what is called, and with what


def each(acts: Iterable[Act]) -> None:
    """Calls them all in this order; an OSError stops nothing and is forgotten: what refuses to be given back is gone.

    Raises the last other exception, once all were called.  `contextlib.ExitStack` takes five times as long.
    """
    failed: BaseException | None = None
    for act, *arguments in acts:
        try:
            act(*arguments)
        except OSError:
            pass
        except BaseException as error:
            error.__context__ = failed
            failed = error
    if failed is not None:
        raise failed
