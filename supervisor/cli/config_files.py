"""Where a command looks for services.yaml."""

import os

from supervisor.config import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def files_asked(args: "argparse.Namespace") -> list[str]:
    """The files that `-f` names, else PORTSUP_FILE; empty where neither says anything.

    Raises FileNotFoundError for a relative one in a working directory that is gone.
    """
    named = args.file or [name for name in os.environ.get("PORTSUP_FILE", "").split(os.pathsep) if name]
    if not all(map(os.path.isabs, named)):
        os.getcwd()
    return list(named)


def config_near(directory: str) -> str | None:
    """The services.yaml of `directory` or of the nearest folder above it that has one."""
    return names.file_near(directory)


def current_directory() -> str:
    """The working directory; `/` when it has been deleted under us."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return os.path.sep
