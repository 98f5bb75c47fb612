"""The arithmetic of instances: which ports instance N has, and how many instances fit beside one another."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from supervisor.dataclass import dataclass

LAST_PORT = 65535

Pools = Mapping[str, Sequence[int]]  # by service, the ports of instance 1


@dataclass(frozen=True, slots=True)
class _Clash:
    """Port `port` of `service` in instance `instance` is a port of `other` in instance 1."""

    instance: int
    service: str
    other: str
    port: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """Why no more than `fitting` instances can exist: `pool`, which `service` would have in instance `instance`.

    It has `port`, which `other`, the same service too, has in instance 1 among `others`; with None for `other` it goes
    beyond the last port.
    """

    instance: int
    service: str
    pool: tuple[int, ...]
    other: str | None
    others: tuple[int, ...]
    port: int
    fitting: int


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


def overlap(pools: Pools, stride: int, instance: int) -> Overlap | None:
    """Why instance `instance` cannot exist beside instances 1 to `instance` - 1, None if it can."""
    fitting = max_instances(pools, stride)
    if instance <= fitting:
        return None
    clash, beyond = _first_clash(pools, stride), _first_beyond(pools, stride)
    is_clash = clash is not None and clash.instance <= beyond.instance
    first = clash if clash is not None and is_clash else beyond
    pool = ports_of(pools[first.service], first.instance, stride)
    other = first.other if is_clash else None
    others = () if other is None else tuple(pools[other])
    return Overlap(first.instance, first.service, pool, other, others, first.port, fitting)


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
