"""portsup with mistakes in it, each as long as the file BREAKS_AT in its environment names it."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

AT = Path(os.environ["BREAKS_AT"])


def broken(owner: Any, name: str, where: str) -> None:
    """Has this function raise while `where` stands in the file."""
    real: Callable[..., Any] = getattr(owner, name)

    def call(*given: Any, **named: Any) -> Any:
        if AT.read_text() == where:
            raise KeyError(where)
        return real(*given, **named)

    setattr(owner, name, call)


from supervisor.daemon.handoff.calls import Handoff  # noqa: E402
from supervisor.daemon.processes.trees import Trees  # noqa: E402
from supervisor.daemon.requests import commands  # noqa: E402
from supervisor.daemon.service import spawner, world  # noqa: E402
from supervisor.daemon.service.slot import Slot  # noqa: E402
from supervisor.daemon.stack.reload import Reloader  # noqa: E402
from supervisor.daemon.stack.scaling import Scaler  # noqa: E402
from supervisor.ports.leases import PoolLease  # noqa: E402

broken(spawner, "spawn", "spawn")
broken(PoolLease, "choose", "lease")
broken(commands, "levels", "restart")
broken(Trees, "terminate", "terminate")
broken(Trees, "_main_exited", "exit")
broken(Trees, "look_at_leftovers", "leftovers")
broken(Slot, "send_signal", "signal")
broken(Scaler, "_add", "scale")
broken(Reloader, "_change", "reload")
broken(Handoff, "_bind", "bind")
broken(world, "see_off", "see off")

from supervisor.cli.main import main  # noqa: E402

sys.exit(main())
