"""Where an instance keeps what it wrote, whether it runs or not."""

import argparse
import os

from supervisor.cli import target
from supervisor.cli.config_files import config_near, current_directory, files_asked
from supervisor.errors import NotFound, PortsupError
from supervisor.ports.choice import Ambiguous, choose, runs_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.api.launch import Needs
    from supervisor.control.status import ServiceStatus
    from supervisor.ports.instances import InstanceInfo


class Source:
    """The state directory that is meant, the services that belong to it, and the instance if it runs."""

    def __init__(
        self, directory: str, services: list[str], info: "InstanceInfo | None", needs: "Needs | None" = None
    ) -> None:
        self.directory = directory
        self.services = services
        self.info = info
        self.needs = needs or {}  # who depends on whom, in the instance that runs or in services.yaml


def find_source(args: argparse.Namespace) -> Source:
    """What the command line and the working directory point to; raises `NotFound`, or what is wrong with the file."""
    from supervisor.logs.state_dir import check_state, instance_directory

    check_state()
    info = _running(args)
    if info is not None:
        from supervisor.control.status import needs_in

        directory, rows = instance_directory(info.stack, info.instance), _services_of(info)
        return Source(directory, [row.name for row in rows] or with_files(directory, []), info, needs_in(rows))
    from supervisor.cli.commands.config import load

    stack = load(files_asked(args))
    needs = {name: {need: str(how) for need, how in spec.depends_on.items()} for name, spec in stack.services.items()}
    return Source(instance_directory(stack.name, args.instance or 1), list(stack.services), None, needs)


def _running(args: argparse.Namespace) -> "InstanceInfo | None":
    """The running instance that is meant; None when it does not run, but services.yaml tells which one it is."""
    running, here, asked = target.instances(), current_directory(), files_asked(args)
    has_config = bool(asked) or config_near(here) is not None
    if not asked and has_config and not any(runs_from(info, here) for info in running):
        return None
    try:
        return choose(running, here, args.instance, asked)
    except Ambiguous:
        raise
    except NotFound:
        if has_config:
            return None
        raise


def _services_of(info: "InstanceInfo") -> "Sequence[ServiceStatus]":
    from supervisor.control.client import Client

    try:
        return Client(info.socket).status().services
    except PortsupError:  # just ending: the files tell as well
        return ()


def with_files(directory: str, names: list[str]) -> list[str]:
    """`names`, and those that are in the configuration no longer but still have a log."""
    try:
        found = sorted(os.listdir(directory))
    except OSError:
        found = []
    logs = [
        name.removesuffix(".log")
        for name in found
        if name.endswith(".log") and name != "portsup.log" and "@" not in name  # those of further replicas
    ]
    return [*names, *(name for name in logs if name not in names)]
