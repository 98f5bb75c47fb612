"""A Ray cluster of a head and nodes on this machine, until stdin ends: `nodes.py LABEL…`.

Prints one line of JSON: its address, and by label the process of each node's raylet.
"""

import json
import sys
import time

from ray.cluster_utils import Cluster

SMALL = {"num_cpus": 4, "object_store_memory": 100_000_000, "include_dashboard": False}


def started(labels: list[str]) -> "tuple[Cluster, dict[str, int]]":
    """The cluster, and the raylets by label; a busy machine may need several attempts for a node."""
    cluster = Cluster()
    raylets = {}
    for label in labels:
        for attempt in range(4):
            try:
                node = cluster.add_node(labels={"n": label}, **SMALL)
                break
            except Exception:
                if attempt == 3:
                    raise
                time.sleep(1)
        raylets[label] = node.all_processes["raylet"][0].process.pid
    return cluster, raylets


if __name__ == "__main__":
    cluster, raylets = started(["head", *sys.argv[1:]])
    print(json.dumps({"address": cluster.address, "raylets": raylets}), flush=True)
    sys.stdin.read()
    for node in [*cluster.worker_nodes]:
        cluster.remove_node(node, allow_graceful=False)
    cluster.remove_node(cluster.head_node, allow_graceful=False)
