"""What the replicas of a service are called.  Pure."""

from collections.abc import Collection

_DIGITS = 5  # of the number of a replica there are fewer


def replica_name(service: str, number: int) -> str:
    """`api.2`."""
    return f"{service}.{number}"


def called(service: str, replica: int | None) -> str:
    """`api`, or `api.2` for one of its replicas."""
    return service if replica is None else replica_name(service, replica)


def parted(name: str, services: Collection[str]) -> tuple[str, int | None]:
    """Which service, and which replica of it, a name means; the name itself where it is that of no service."""
    service, _, number = name.rpartition(".")
    is_number = number.isascii() and number.isdigit() and len(number) < _DIGITS and int(number) > 0
    if is_number and name not in services and service in services:
        return service, int(number)
    return name, None
