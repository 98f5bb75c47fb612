"""Where a command looks for services.yaml."""

import os

from supervisor.config import names
from supervisor.errors import PortsupError
from supervisor.files.opening import close, open_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


_MOST = 1 << 20  # bytes of a file that are looked at


def files_asked(args: "argparse.Namespace") -> list[str]:
    """The files that `-f` names, else PORTSUP_FILE; empty where neither says anything.

    Raises FileNotFoundError for a relative one in a working directory that is gone.
    """
    named = args.file or [name for name in os.environ.get("PORTSUP_FILE", "").split(os.pathsep) if name]
    if not all(map(os.path.isabs, named)):
        os.getcwd()
    return list(named)


def cluster_asked(args: "argparse.Namespace") -> str:
    """The Ray cluster that the services.yaml which is meant names; "" for this machine, or where nothing can be read.

    Few files name one, so the others are not parsed for it.
    """
    try:
        files = names.files_of(names.find_asked(current_directory(), files_asked(args)))
        if not any(_may_name_a_cluster(file) for file in files):
            return ""
    except (OSError, PortsupError):
        return ""  # the command says so itself, if it needs one
    from supervisor.config.load import load_asked

    return load_asked(names.find_asked(current_directory(), files_asked(args)), os.environ).engine_address


def _may_name_a_cluster(path: str) -> bool:
    descriptor = open_file(path, os.O_RDONLY, follow=True)  # raises where a FIFO would have us wait
    try:
        text = os.read(descriptor, _MOST)
    finally:
        close(descriptor)
    return b"engine" in text and b"address" in text


def config_near(directory: str) -> str | None:
    """The services.yaml of `directory` or of the nearest folder above it that has one."""
    return names.file_near(directory)


def current_directory() -> str:
    """The working directory; `/` when it has been deleted under us."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return os.path.sep
