"""Where things are kept: the state directory, and the services.yaml that is meant."""

import os

CONFIG_NAMES = ("services.yaml", "services.yml")


def state_directory() -> str:
    """Where logs and reports are: $PORTSUP_STATE_DIR, or what is usual for root and for others."""
    given = os.environ.get("PORTSUP_STATE_DIR")
    if given:
        return os.path.abspath(given)
    if getattr(os, "geteuid", lambda: -1)() == 0:
        return "/var/lib/portsup"
    # XDG says that a relative path there is to be ignored.
    home = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(home):
        home = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(home, "portsup")


def config_near(directory: str) -> str | None:
    """The services.yaml of `directory` or of the nearest folder above it that has one."""
    directory = os.path.abspath(directory)
    while True:
        for name in CONFIG_NAMES:
            path = os.path.join(directory, name)
            if os.path.lexists(path):
                return path
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above


def current_directory() -> str:
    """The working directory; `/` when it has been deleted under us."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return os.path.sep
