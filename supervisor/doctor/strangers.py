"""Who has which port on this machine, as far as pools are concerned."""

import errno
import os
from collections.abc import Collection, Mapping

from supervisor import system
from supervisor.ports.holders import who_holds
from supervisor.ports.instances import is_held
from supervisor.ports.record import Record
from supervisor.ports.runtime import RuntimeDir
from supervisor.words.reasons import text_of

Leases = Mapping[int, tuple[str, int, str]]  # stack, instance and service by port


def leases(runtime: RuntimeDir) -> Leases:
    """Every port of which a portsup of this user has the lock; what is unknown is empty."""
    found: dict[int, tuple[str, int, str]] = {}
    try:
        names = os.listdir(runtime.ports)
    except OSError:
        return found
    for name in names:
        number = name.removesuffix(".lock")
        if number != name and number.isascii() and number.isdigit() and is_held(runtime.port_lock(int(number))):
            record = Record.read(runtime.port_record(int(number)))
            found[int(number)] = (record.stack, record.instance, record.service) if record else ("", 0, "")
    return found


def holders(ports: Collection[int], runtime: RuntimeDir, leased: Leases) -> dict[int, str]:
    """In words, who has those of `ports` that are in use and not leased by a portsup of this user."""
    wanted = [port for port in ports if port not in leased]
    used = {found.port for found in (*system.listening(wanted), *system.bound_only(wanted))}
    return {port: text_of(who_holds(port, runtime, errno.EADDRINUSE).why) for port in sorted(used)}
