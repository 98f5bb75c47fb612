"""Where a command looks for services.yaml."""

import os

CONFIG_NAMES = ("services.yaml", "services.yml")


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
