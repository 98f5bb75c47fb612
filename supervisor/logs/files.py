"""The files in which the output of services is: one for each of several replicas."""

import os
import re
from collections.abc import Iterable

from supervisor.core.naming import replica_name

_REPLICA = re.compile(r"(.+)\.([1-9][0-9]{0,3})")


def log_name(service: str, number: int) -> str:
    """The name of the log of a replica; no service has one with `@`."""
    return f"{service}.log" if number == 1 else f"{service}@{number}.log"


def log_files(directory: str | os.PathLike[str], names: Iterable[str]) -> dict[str, str]:
    """The logs of services, or of single replicas such as `api.2`, by how those are called who print into them."""
    directory = os.fspath(directory)
    numbers = _replicas(directory)
    found: dict[str, str] = {}
    for name in names:
        match = _REPLICA.fullmatch(name)
        service, number = (match[1], int(match[2])) if match else (name, 0)
        if number and service in numbers and number in (1, *numbers[service]):
            found[name] = os.path.join(directory, log_name(service, number))
        elif name in numbers:
            for each in (1, *numbers[name]):
                found[replica_name(name, each)] = os.path.join(directory, log_name(name, each))
        else:
            found[name] = os.path.join(directory, log_name(name, 1))
    return found


def _replicas(directory: str) -> dict[str, list[int]]:
    """By service which replicas beside the first one have a log."""
    try:
        names = [name for name in os.listdir(directory) if "@" in name]
    except OSError:
        return {}
    found: dict[str, list[int]] = {}
    for name in names:
        service, _, number = name.removesuffix(".log").rpartition("@")
        if name.endswith(".log") and number.isdecimal():
            found.setdefault(service, []).append(int(number))
    return {service: sorted(numbers) for service, numbers in found.items()}
