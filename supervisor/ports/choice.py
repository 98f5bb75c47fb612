"""Which of the running instances is meant: by file, by directory, by number."""

import os
from collections.abc import Sequence

from supervisor.config.names import file_near, files_of, find_asked
from supervisor.errors import NotFound
from supervisor.words import instances as words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.ports.instances import InstanceInfo


class Ambiguous(NotFound):
    """Several instances fit what was asked for."""

    candidates: "Sequence[InstanceInfo]" = ()


def choose(
    running: "Sequence[InstanceInfo]", here: str, instance: int | None, asked: "Sequence[str]", *, changes: bool = False
) -> "InstanceInfo":
    """The one of `running` that is meant: by file, by folder, else the only one; raises `NotFound` otherwise.

    An instance belongs to the first of its files.  Where several belong to the first one asked for, those come first
    that have been made of exactly the files asked for.
    """
    if not running:
        raise words.none_runs()
    numbered = [info for info in running if instance in (None, info.instance)]
    if asked:
        files = [os.path.realpath(os.path.join(here, each)) for each in files_of(find_asked(here, asked))]
        candidates = [info for info in numbered if os.path.realpath(info.file) == files[0]]
        if not candidates:
            raise words.not_found(words.none_runs_from(asked[0], instance), _hint(numbered, files[0]))
        return _only([info for info in candidates if list(map(os.path.realpath, info.files)) == files] or candidates)
    near = _from_here(running, here)
    if near:
        # Two clones of a project are instances of one stack: a number may mean the other clone, never another stack.
        numbered = [info for info in numbered if info.stack in {one.stack for one in near}]
        if not numbered:
            raise words.not_found(words.no_number(instance, of_this_stack=True))
        return _only([info for info in numbered if info in near] or numbered)
    config = file_near(here)
    if changes and instance is None and config is not None:
        raise words.not_found(words.none_started_from(config), words.ANOTHER)
    if not numbered:
        raise words.not_found(words.no_number(instance))
    return _only(numbered)


def _hint(running: "Sequence[InstanceInfo]", file: str) -> str:
    """What to do where no instance belongs to `file`: one that only has it laid over another is reached by that."""
    first = next((info.file for info in running if file in map(os.path.realpath, info.files)), None)
    return words.RUNNING if first is None else words.laid_over(first)


def _from_here(running: "Sequence[InstanceInfo]", here: str) -> "list[InstanceInfo]":
    """The instances started from `here`, else from the nearest folder above it."""
    directory = os.path.realpath(here)
    while True:
        found = [info for info in running if directory in (_folder(info.directory), _folder(_parent(info.file)))]
        above = os.path.dirname(directory)
        if found or above == directory:
            return found
        directory = above


def runs_from(info: "InstanceInfo", here: str) -> bool:
    """Whether the instance was started from `here` or from a folder above it."""
    return bool(_from_here([info], here))


def _only(candidates: "Sequence[InstanceInfo]") -> "InstanceInfo":
    if len(candidates) == 1:
        return candidates[0]
    numbers = {info.instance for info in candidates}
    example = f"--instance {max(numbers)}" if len(numbers) == len(candidates) else "-f FILE"
    error = Ambiguous(*words.several(map(words_of, candidates), example))
    error.candidates = candidates
    raise error


def words_of(info: "InstanceInfo") -> str:
    """What is said of an instance where several are meant."""
    return words.words_of(info.stack, info.instance, info.whose, os.fspath(info.directory))


def _parent(file: "str | os.PathLike[str]") -> str:
    return os.path.dirname(os.fspath(file))


def _folder(directory: "str | os.PathLike[str]") -> str:
    return os.path.realpath(directory) if os.fspath(directory) else ""
