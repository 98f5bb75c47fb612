"""Who starts after whom: the order that `depends_on` makes, forwards for starting and backwards for stopping."""

from collections.abc import Collection, Mapping
from enum import StrEnum


class Condition(StrEnum):
    """What a dependency must have reached before its dependant starts."""

    STARTED = "started"
    LISTENING = "listening"
    READY = "ready"
    COMPLETED = "completed"
    COMPLETED_OK = "completed_ok"


# Where a service starts also if the other one fails.
GOES_ON_WITHOUT = frozenset((Condition.STARTED, Condition.COMPLETED))


Graph = Mapping[str, Collection[str]]  # service -> the services it depends on


class Circle(ValueError):
    """Services depend on each other in a circle."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(*names)
        self.names = names  # along the circle, the first one again at the end


def find_cycle(graph: Graph) -> tuple[str, ...]:
    """The names along one circle of dependencies, the first one again at the end; () if there is none."""
    done: set[str] = set()
    for root in graph:
        path: dict[str, None] = {}  # in the order of the way
        stack = [(root, iter(graph.get(root, ())))]
        while stack:
            name, rest = stack[-1]
            path[name] = None
            for need in rest:
                if need in path:
                    way = tuple(path)
                    return (*way[way.index(need) :], need)
                if need not in done and need in graph:
                    stack.append((need, iter(graph[need])))
                    break
            else:
                done.add(name)
                del path[name]
                stack.pop()
    return ()


def levels(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """The services in start order: each level needs only the levels before it.

    Raises Circle where there is one.
    """
    missing = {name: sum(need in graph for need in dict.fromkeys(needs)) for name, needs in graph.items()}
    dependants: dict[str, list[str]] = {}
    for name, needs in graph.items():
        for need in dict.fromkeys(needs):
            dependants.setdefault(need, []).append(name)
    positions = {name: position for position, name in enumerate(graph)}
    ordered: list[tuple[str, ...]] = []
    level = [name for name, count in missing.items() if not count]
    while level:
        ordered.append(tuple(level))
        following = []
        for name in level:
            for other in dependants.get(name, ()):
                missing[other] -= 1
                if not missing[other]:
                    following.append(other)
        level = sorted(following, key=positions.__getitem__)
    if any(missing.values()):
        raise Circle(find_cycle(graph))
    return tuple(ordered)


def to_restart(graph: Graph, changed: Mapping[str, Collection[str]], passing: Collection[str]) -> tuple[str, ...]:
    """Those of `changed` to restart now, each after all that it needs has come to rest.

    `changed` has, by service, which of those that it is restarted after have another process than it knew;
    `passing` are the services that are on their way up or down.
    """
    moving, found = set(passing), []
    for level in levels(graph):
        for name in level:
            if not changed.get(name):
                continue
            if moving.isdisjoint(with_dependencies(graph, (name,)) - {name}):
                found.append(name)
            moving.add(name)  # so that who needs it waits for it, and is restarted once
    return tuple(found)


def with_dependencies(graph: Graph, names: Collection[str]) -> frozenset[str]:
    """`names` and all that they need, directly or through others."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(graph.get(name, ()))
    return frozenset(found)
