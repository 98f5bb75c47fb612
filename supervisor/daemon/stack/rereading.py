"""Reads services.yaml again for a running instance, in a child of ours: a large one takes a second.

What has not changed does not come back: the one who asks has it.  The child imports what reading takes; should another
portsup have been installed in the place of this one meanwhile, what that one reads would not fit us.
"""

import _pickle as pickle  # the part in C alone, as `process.aside` has it already
import asyncio
import binascii
import os
from collections.abc import Sequence
from typing import Any

from supervisor.config import spec as types
from supervisor.config.changes import Difference
from supervisor.config.spec import ServiceSpec, StackSpec
from supervisor.control.progress import Changed, Changes
from supervisor.daemon.processes.inquiries import Inquiries
from supervisor.daemon.stalls import leave_time
from supervisor.dataclass import replace
from supervisor.files.opening import explained
from supervisor.words import refusals


def _installed() -> tuple[int, int] | None:
    """What tells the files of this portsup from those of another one; None where there are none."""
    try:
        found = os.stat(types.__file__)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


_INSTALLED = _installed()


async def read_again(inquiries: Inquiries, old: StackSpec, asked: Sequence[str]) -> tuple[StackSpec, Difference]:
    """The stack of what `find_asked` gives, as it is written now, and what is different from `old`.

    Raises PortsupError where it cannot be used, and what was raised as it was read.
    """
    if _installed() != _INSTALLED:
        raise refusals.replaced(old.file.name)
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[dict[str, Any] | None] = loop.create_future()
    inquiries.ask(lambda: _read(old, asked), lambda found: None if answered.done() else answered.set_result(found))
    found = await answered
    if found is None:
        raise refusals.not_read_again(old.file.name)
    if "error" in found:
        error = _thawed(found["error"])
        if isinstance(error, OSError):
            raise refusals.not_read_again(old.file.name, explained(error)) from error
        raise error
    services: dict[str, ServiceSpec] = {}
    for name, frozen in found["services"].items():
        await leave_time(loop)
        services[name] = old.services[name] if frozen is None else _thawed(frozen)
    return replace(_thawed(found["stack"]), services=services), _thawed(found["difference"])


def _read(old: StackSpec, asked: Sequence[str]) -> dict[str, Any]:
    try:
        from supervisor.config.difference import difference
        from supervisor.config.load import load_asked

        new = load_asked(asked, os.environ)
    except Exception as error:  # whatever it is, it is raised again
        return {"error": _frozen(error)}
    services = {
        name: None if old.services.get(name) == spec else _frozen(spec) for name, spec in new.services.items()
    }  # fmt: skip
    different = _frozen(difference(old, new))  # to compare hundreds of services takes as long as to read them
    return {"stack": _frozen(replace(new, services={})), "services": services, "difference": different}


def _frozen(value: object) -> str:
    return binascii.b2a_base64(pickle.dumps(value), newline=False).decode()


def _thawed(text: str) -> Any:
    return pickle.loads(binascii.a2b_base64(text))


def changes(found: Difference) -> Changes:
    """What a reload would do, for the one who asked."""
    changed = tuple(Changed(each.name, tuple(each.keys), each.restarts) for each in found.changed)
    return Changes(tuple(found.added), tuple(found.removed), changed, tuple(found.top))
