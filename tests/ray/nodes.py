"""A Ray cluster of a head and nodes on this machine, until stdin ends: `nodes.py PORT LABEL=VALUE…`.

Prints one line of JSON: its address, the address for clients (at PORT), and by name the process of each node's raylet.
Each line of stdin adds a node with these labels, and is answered by the raylet's process.
"""

import json
import os
import sys
from typing import Any

from ray.cluster_utils import Cluster

from examples.cluster.nodes import added, ended
from tests.ray.conftest import SOONER


def own(label: str) -> dict[str, Any]:
    """What a node has for itself, as a machine would."""
    name = label.partition(",")[0].partition("=")[2]
    places = {key: f"{os.environ[key]}-{name}" for key in ("PORTSUP_RUNTIME_DIR", "PORTSUP_STATE_DIR")}
    return {"env_vars": places}


def main(port: int, labels: list[str]) -> None:
    cluster = Cluster()
    head = {"ray_client_server_port": port, "_system_config": SOONER}
    raylets = [added(cluster, each, **own(each), **({} if number else head)) for number, each in enumerate(labels)]
    names = [label.partition(",")[0].partition("=")[2] for label in labels]
    told = {
        "address": cluster.address,
        "client": f"ray://127.0.0.1:{port}",
        "raylets": dict(zip(names, raylets, strict=True)),
    }
    print(json.dumps(told), flush=True)
    for line in sys.stdin:
        print(json.dumps(added(cluster, line.strip(), **own(line.strip()))), flush=True)
    ended(cluster)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
