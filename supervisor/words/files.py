"""What portsup says of services.yaml, and of the files that it writes for the services."""

from collections.abc import Sequence

LOG_GOES_ON = "it goes on once that works again; what is lost is counted"


def tried_again(is_in_the_way: bool) -> str:
    """What to do about an endpoints file that cannot be written: something stands in its place, or there is no room."""
    return f"{'remove what is there' if is_in_the_way else 'make room there'}: portsup tries again every 10 s"


def not_written(path: str, why: str, hint: str) -> str:
    """That a file is not written, and what to do."""
    return f"cannot write `{path}`: {why}; {hint}"


def is_fine(files: str, are_several: bool, stack: str, count: int) -> str:
    """That a configuration has no mistake."""
    services = f"{count} service{'' if count == 1 else 's'}"
    return f"{files} {'are' if are_several else 'is'} fine: stack `{stack}` with {services}"


def merged(files: str) -> str:
    """Of which files a configuration comes."""
    return f"this is {files}"


def no_names_in_a_shell(names: Sequence[str]) -> str:
    """Which variables are left out that a shell cannot have."""
    return f"not printed, since a shell has no variables of these names: {', '.join(names)}; `--format json` has them"


def not_printed(names: Sequence[str]) -> str:
    """Which variables are left out."""
    return f"not printed, since secret: {', '.join(names)}; --reveal exports them too"
