"""What the replicas of a service are called.  Pure."""

from collections.abc import Collection


def replica_name(service: str, number: int) -> str:
    """`api.2`."""
    return f"{service}.{number}"


def called(service: str, replica: int | None) -> str:
    """`api`, or `api.2` for one of its replicas."""
    return service if replica is None else replica_name(service, replica)


def parted(name: str, services: Collection[str]) -> tuple[str, int | None]:
    """Which service, and which replica of it, a name means; the name itself where it is that of no service."""
    service, _, number = name.rpartition(".")
    if name not in services and service in services and number.isascii() and number.isdigit() and int(number[:4]) > 0:
        return service, int(number[:4])
    return name, None
