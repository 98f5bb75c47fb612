"""A Ray cluster on this machine, for trying things: `python -m examples.cluster.nodes LABEL=VALUE…`, until Ctrl-C.

Each argument is the label of a node, and its value the node's name; the first node is the head.  A node gets several
labels as `LABEL=VALUE,LABEL=VALUE`.  Without arguments there are the three nodes of `places.yaml`.
"""

import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

from ray.cluster_utils import Cluster

THREE = ("role=gateway", "role=model", "role=work")
SMALL: dict[str, Any] = {"num_cpus": 4, "object_store_memory": 100_000_000, "include_dashboard": False}


def started(labels: Sequence[str], **head: Any) -> tuple[Cluster, list[int]]:
    """The cluster, and the process of each node's raylet."""
    cluster = Cluster()
    return cluster, [added(cluster, label, **({} if number else head)) for number, label in enumerate(labels)]


def added(cluster: Cluster, label: str, **options: Any) -> int:
    """One more node, the head if it is the first; the process of its raylet."""
    has = dict(each.split("=", 1) for each in label.split(","))
    called = next(iter(has.values()))
    options = {**SMALL, "node_name": called, "labels": has, **options}
    if cluster.head_node:  # in one place for all, a node would unpack a project again that others have begun to use
        options["runtime_env_dir_name"] = f"runtime_resources_{called}"
    for _ in range(3):  # a busy machine may need several attempts
        try:
            return _raylet(cluster.add_node(**options))
        except Exception:
            time.sleep(1)
    return _raylet(cluster.add_node(**options))


def _raylet(node: Any) -> int:
    return int(node.all_processes["raylet"][0].process.pid)


def ended(cluster: Cluster) -> None:
    """Ends all nodes, the head last."""
    for node in [*cluster.worker_nodes]:
        cluster.remove_node(node, allow_graceful=False)
    cluster.remove_node(cluster.head_node, allow_graceful=False)


def main(labels: Sequence[str]) -> int:
    """Runs the nodes until somebody presses Ctrl-C."""
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    cluster, raylets = started(labels)
    try:
        for label, raylet in zip(labels, raylets, strict=True):
            print(f"node with {label}: raylet {raylet}", flush=True)
        print(f"export PORTSUP_ON={cluster.address}", flush=True)
        signal.sigwait(signals)
    finally:
        ended(cluster)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or THREE))
