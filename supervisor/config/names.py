"""What the files of a stack are called, and which of them belong together.  Light: every quick command asks."""

import os

from supervisor.errors import ConfigError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NAMES = ("services.yaml", "services.yml")
OVERRIDES = ("services.override.yaml", "services.override.yml")  # laid over the file beside them without being named


def file_near(directory: str) -> str | None:
    """The services.yaml of `directory` or of the nearest folder above it that has one."""
    directory = os.path.abspath(directory)
    while (found := _first(directory, NAMES)) is None:
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above
    return found


def find_asked(start: str, given: "Sequence[str | os.PathLike[str]]") -> tuple[str, ...]:
    """What to read, absolute: the files (or folders) given, else the nearest folder with a services.yaml.

    Raises ConfigError where there is none, and UsageError for a file that is named twice.
    """
    if not given:
        near = file_near(start)
        if near is None:
            raise ConfigError(
                "cannot find a services.yaml",
                why=f"there is none in `{start}` or above it",
                hint="go to the directory of your stack, or name the file: `portsup -f FILE …`",
            )
        return (os.path.dirname(near),)
    asked = tuple(os.path.normpath(os.path.join(start, each)) for each in given)
    known: set[str] = set()
    for file in files_of(asked):
        if (real := os.path.realpath(file)) in known:
            hint = "name each file once; later ones are laid over earlier ones"
            raise UsageError(f"cannot use `{os.path.basename(file)}`", "it is named twice", hint)
        known.add(real)
    return asked


def files_of(asked: "Iterable[str | os.PathLike[str]]") -> tuple[str, ...]:
    """The files that are meant, in order; a folder stands for the services.yaml in it and the override beside that."""
    found: list[str] = []
    for name in asked:
        path = os.fspath(name)
        if not os.path.isdir(path):
            found.append(path)
            continue
        found.append(_first(path, NAMES) or os.path.join(path, NAMES[0]))  # where there is none, that is said of it
        override = _first(path, OVERRIDES)
        found += [override] if override else []
    return tuple(found)


def shown(names: "Sequence[str]") -> str:
    """Several files in a message: `one` with `two` and `three`."""
    over = " and ".join(f"`{name}`" for name in names[1:])
    return f"`{names[0]}` with {over}" if over else f"`{names[0]}`"


def _first(folder: str, names: "Iterable[str]") -> str | None:
    paths = (os.path.join(folder, name) for name in names)
    return next((path for path in paths if os.path.lexists(path)), None)
