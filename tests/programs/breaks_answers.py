"""portsup with a mistake in it: it cannot tell the state of a service, nor its environment, nor restart it."""

import sys
from typing import Any


def break_down(*_: Any, **__: Any) -> Any:
    """What a mistake does."""
    raise ValueError("password-1234 is not in list")


from supervisor.daemon.requests import commands, statuses  # noqa: E402

statuses.row = break_down  # type: ignore[attr-defined]
commands.environment_told = break_down  # type: ignore[attr-defined]
commands.levels = break_down  # type: ignore[attr-defined]

from supervisor.cli.main import main  # noqa: E402

sys.exit(main())
