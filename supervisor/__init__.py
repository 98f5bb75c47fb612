"""portsup: a process supervisor that owns its ports, and the same port locks for any Python server.

`PortLock` locks one port number, `PortPool` leases a list of ports and gives a listening socket, `Instance` numbers
the copies of a program, `Shield` watches locks; `Stack` is a running stack.  They are loaded when first used.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.api.stack import Stack
    from supervisor.ports.library import Instance, PortPool
    from supervisor.ports.port_lock import PortLock
    from supervisor.ports.shield import Shield

__all__ = ["Instance", "PortLock", "PortPool", "Shield", "Stack"]

_PLACES = {
    "Instance": ("ports", "library"),
    "PortLock": ("ports", "port_lock"),
    "PortPool": ("ports", "library"),
    "Shield": ("ports", "shield"),
    "Stack": ("api", "stack"),
}


def __getattr__(name: str) -> object:
    if name in _PLACES:
        from importlib import import_module

        return getattr(import_module(".".join(("supervisor", *_PLACES[name]))), name)
    raise AttributeError(f"module `supervisor` has no attribute `{name}`")
