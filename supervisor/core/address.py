"""At which address of this machine a server is reached that listens at some places.  Pure."""

from collections.abc import Collection

from supervisor.core.handoff import Place

LOOPBACK = "127.0.0.1"
LOOPBACK_V6 = "::1"
_MAPPED = "::ffff:"


def host_of(places: Collection[Place]) -> str:
    """The address that everybody is told, "" if nothing listens anywhere: 127.0.0.1 wherever that leads there."""
    return min(map(_address, places), key=_rank, default="")


def url_of(host: str, port: int) -> str:
    """Where an HTTP server at that address answers; IPv6 addresses stand in brackets, RFC 3986 and RFC 6874."""
    return f"http://[{host.replace('%', '%25')}]:{port}" if ":" in host else f"http://{host}:{port}"


def _address(place: Place) -> str:
    address = place.address.removeprefix(_MAPPED)
    if address == "0.0.0.0" or (address == "::" and not place.v6_only):
        return LOOPBACK
    if address == "::":
        return LOOPBACK_V6
    return f"{address}%{place.scope}" if place.scope else address


def _rank(address: str) -> tuple[int, str]:
    if address == LOOPBACK:
        return 0, address
    if ":" not in address:
        return (1 if address.startswith("127.") else 3), address
    return (2 if address == LOOPBACK_V6 else 4), address
