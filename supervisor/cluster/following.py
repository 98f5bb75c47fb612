"""What comes on all nodes of a stack, by asking them again and again."""

import contextlib
from collections.abc import Sequence
from typing import Any

from supervisor.cluster import engine
from supervisor.cluster.face import Cluster

_ANSWER = 10.0  # seconds for a node, while the others wait


class Following:
    """Lines or events of some services.

    `method` is that of the agents.  `first` is what those are asked for that there are at the beginning, `later` what a
    node is asked for that comes.
    """

    def __init__(self, cluster: Cluster, method: str, services: Sequence[str], first: Any, later: Any) -> None:
        self._cluster, self._method, self._services = cluster, method, list(services)
        self._now, self._later = first, later
        self._at: dict[str, str] = {}  # by node; several nodes may have one state directory
        self._cursors: dict[str, dict[str, str]] = {}

    def more(self) -> list[dict[str, Any]]:
        """What has come since the last time, in the order of time."""
        found: list[dict[str, Any]] = []
        asked: set[str] = set()
        for node, agent in self._cluster.agents():
            at = self._at.get(node, "")
            if at in asked:
                continue
            with contextlib.suppress(engine.Unreachable):
                cursors = self._cursors.get(at, {})
                told = engine.ask(agent, self._method, self._services, self._now, cursors, timeout=_ANSWER)
                at = self._at[node] = told["at"]
                if at not in asked:
                    asked.add(at)
                    if not cursors and at in self._cursors:  # a node that has come to a state directory that we know
                        continue
                    self._cursors[at] = told["cursors"]
                    found += told["told"]
        self._now = self._later
        return sorted(found, key=lambda each: str(each["time"]))
