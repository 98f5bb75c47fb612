"""The arithmetic of instances: which ports instance N has, and how many instances fit beside one another."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from supervisor.dataclass import dataclass

LAST_PORT = 65535

Pools = Mapping[str, Sequence[int]]  # by service, the ports of instance 1

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True, slots=True)
class _Clash:
    """Port `port` of `service` in instance `instance` is a port of `other` in instance 1."""

    instance: int
    service: str
    other: str
    port: int


@dataclass(frozen=True, slots=True)
class Remembered:
    """The number that a folder had the last time, and when, in seconds since 1970; `exists` is about the folder."""

    stack: str
    folder: str
    number: int
    used: float
    exists: bool = True


def numbers_for(folder: str, remembered: Sequence[Remembered], fitting: int) -> Iterator[int]:
    """In which order an `up` in `folder` tries the numbers 1 to `fitting`; `remembered` are those of its stack.

    Its own number, those that no other folder had, lowest first, and those of other folders, longest unused first.
    """
    own = [each.number for each in remembered if each.folder == folder and each.number <= fitting]
    others = {each.number: each.used for each in remembered if each.folder != folder and each.exists}
    yield from own
    yield from (number for number in range(1, fitting + 1) if number not in others and number not in own)
    yield from sorted((number for number in others if number <= fitting), key=lambda number: (others[number], number))


def remembering(known: Sequence[Remembered], new: Remembered) -> list[Remembered]:
    """`known` and `new`: a folder has one number, and a number one folder."""
    return [
        each for each in known if each.stack != new.stack or (each.folder != new.folder and each.number != new.number)
    ] + [new]


def ports_of(pool: Sequence[int], instance: int, stride: int) -> tuple[int, ...]:
    """The ports of instance `instance`, counted from 1, of a service whose instance 1 has `pool`."""
    return tuple(port + (instance - 1) * stride for port in pool)


def max_instances(pools: Pools, stride: int) -> int:
    """How many instances fit: 1 to that number can run side by side; 0 if not even one can."""
    clash, beyond = _first_clash(pools, stride), _first_beyond(pools, stride)
    return min(beyond.instance, clash.instance if clash else beyond.instance) - 1


def overlap(pools: Pools, stride: int, instance: int) -> str | None:
    """Why instance `instance` cannot exist beside instances 1 to `instance` - 1, None if it can."""
    if instance <= max_instances(pools, stride):
        return None
    clash, beyond = _first_clash(pools, stride), _first_beyond(pools, stride)
    fits = _that_fit(max_instances(pools, stride))
    if clash is not None and clash.instance <= beyond.instance:
        if clash.instance == 1:
            return f"`{clash.service}` and `{clash.other}` share port {clash.port}"
        pool = _range(ports_of(pools[clash.service], clash.instance, stride))
        theirs = _range(pools[clash.other])
        whose = f"`{clash.other}` ({theirs})" if clash.other != clash.service else f"the same service ({theirs})"
        mine = f"pool {pool} of `{clash.service}` in instance {clash.instance}"
        return f"{mine} takes ports of {whose} in instance 1: {fits}"
    pool = _range(ports_of(pools[beyond.service], beyond.instance, stride))
    return f"pool {pool} of `{beyond.service}` in instance {beyond.instance} goes beyond port {LAST_PORT}: {fits}"


def _first_clash(pools: Pools, stride: int) -> _Clash | None:
    return min(_clashes(pools, stride), key=lambda clash: (clash.instance, clash.port), default=None)


def _clashes(pools: Pools, stride: int) -> Iterator[_Clash]:
    """For ports that differ by a multiple of the stride, each with the next higher one: farther ones clash later."""
    classes: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for service, pool in pools.items():
        for port in pool:
            classes[port % stride].append((port, service))
    for ports in classes.values():
        ports.sort(key=lambda entry: entry[0])
        for (low, service), (high, other) in pairwise(ports):
            yield _Clash((high - low) // stride + 1, service, other, high)


def _first_beyond(pools: Pools, stride: int) -> _Clash:
    highest = ((name, max(pool)) for name, pool in pools.items() if pool)
    service, port = max(highest, key=lambda entry: entry[1], default=("", 0))
    return _Clash((LAST_PORT - port) // stride + 2, service, service, port)


def _range(ports: Sequence[int]) -> str:
    if len(ports) > 1 and list(ports) == list(range(ports[0], ports[0] + len(ports))):
        return f"{ports[0]}-{ports[-1]}"
    return ", ".join(map(str, ports))


def _that_fit(number: int) -> str:
    words = _WORDS[number] if number < len(_WORDS) else str(number)
    return f"{words} instance{'s' if number != 1 else ''} fit{'s' if number == 1 else ''}"
