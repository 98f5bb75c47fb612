"""What differs between operating systems: one contract, one file a system, chosen here.

`protocol` says what every system answers, of processes and of ports in files of their own, and `contract` what the
values are.  A system takes what it has in common with others from `portable`, `posix`, `no_jobs` and `no_handoff`.  On
Linux with PORTSUP_SYSTEM=posix it is `plain_posix`, which is all that portsup knows of a system that is neither Linux
nor Windows.

On Linux, what needs `socket` is imported when it is first used: that takes `status` a fifth of its time otherwise.
"""

import os
import sys

from supervisor.system.contract import Connection as Connection
from supervisor.system.contract import Departures as Departures
from supervisor.system.contract import Listener as Listener
from supervisor.system.contract import SignalQueue as SignalQueue
from supervisor.system.contract import Usage as Usage
from supervisor.system.contract import Watch as Watch
from supervisor.system.contract import WatchEvent as WatchEvent
from supervisor.system.contract import WatchKind as WatchKind
from supervisor.system.identity import Identity as Identity

TYPE_CHECKING = False  # to import `typing` takes a millisecond
if not TYPE_CHECKING and sys.platform == "linux" and os.environ.get("PORTSUP_SYSTEM") == "posix":
    from supervisor.system.plain_posix import *
elif sys.platform == "linux":
    from supervisor.system.linux_all import *

    if TYPE_CHECKING:
        from supervisor.system import linux_all as chosen

    _LATER = {
        "beneath": ("COVERS", "can_be_joined", "keeps_own", "slip_beneath"),
        "departures": (
            "connections_on", "handshakes_on", "hide", "lead_anywhere", "lead_to", "open_departures", "turn_away",
            "waiting_in",
        ),
        "linux_limits": ("highest_limit", "room_for_words"),
        "linux_sockets": (
            "bound_only", "has_many_sockets", "listening", "listening_ports_of", "owners_of", "peer_of", "sockets_on",
        ),
        "peers": ("user_of_peer",),
    }  # fmt: skip

    def __getattr__(name: str) -> object:
        """What a file has that was not imported yet, PEP 562."""
        for file, names in _LATER.items():
            if name in names:
                from importlib import import_module

                module = import_module(f"supervisor.system.{file}")
                globals().update((each, getattr(module, each)) for each in names)
                return globals()[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
elif sys.platform == "darwin":
    from supervisor.system.darwin import *

    if TYPE_CHECKING:
        from supervisor.system import darwin as chosen
else:
    from supervisor.system.windows import *

    if TYPE_CHECKING:
        from supervisor.system import windows as chosen
if TYPE_CHECKING:
    from supervisor.system.protocol import System

    _keeps_the_contract: System = chosen
    if sys.platform != "win32":
        from supervisor.system import plain_posix

        _keeps_it_as_well: System = plain_posix
