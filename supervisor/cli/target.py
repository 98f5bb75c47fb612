"""Which running instance a command means."""

from supervisor.cli.complaint import warn
from supervisor.cli.config_files import config_near, current_directory, files_asked
from supervisor.ports.choice import Ambiguous, choose, runs_from, words_of
from supervisor.words import answers

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from supervisor.control.client import Client
    from supervisor.ports.instances import InstanceInfo


def meant(args: "argparse.Namespace", *, changes: bool = False) -> "InstanceInfo":
    """The running instance that the command line and the working directory point to; raises `NotFound`.

    `changes`: the command does something to the instance.  Then the only instance running is not enough when this
    folder has a services.yaml of its own: `down` in one project must not end another one.
    """
    here, asked = current_directory(), files_asked(args)
    info = choose(instances(), here, args.instance, asked, changes=changes)
    if args.instance is None and not asked and not runs_from(info, here) and config_near(here):
        warn(answers.elsewhere(words_of(info)), args.color)
    return info


def all_meant(args: "argparse.Namespace") -> "list[InstanceInfo]":
    """The instances of the stack that is meant, or the one that `--instance` names; raises `NotFound`."""
    if args.instance is not None:
        return [meant(args)]
    try:
        stacks = {meant(args).stack}
    except Ambiguous as error:
        stacks = {info.stack for info in error.candidates}
        if len(stacks) > 1:
            raise
    return [info for info in instances() if info.stack in stacks]


def connect(args: "argparse.Namespace", *, changes: bool = False) -> "Client":
    """A client of the instance that is meant."""
    from supervisor.control.client import Client

    return Client(meant(args, changes=changes).socket)


def instances() -> "list[InstanceInfo]":
    """Every instance of this user that runs now."""
    from supervisor.ports.instances import running
    from supervisor.ports.runtime import RuntimeDir

    return running(RuntimeDir.find())
