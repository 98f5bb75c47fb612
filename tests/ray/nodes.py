"""A Ray cluster of a head and nodes on this machine, until stdin ends: `nodes.py LABEL=VALUE…`.

Prints one line of JSON: its address, the address for clients, and by name the process of each node's raylet.
"""

import json
import sys

from examples.cluster.nodes import ended, started

if __name__ == "__main__":
    labels, port = sys.argv[2:], int(sys.argv[1])
    cluster, raylets = started(labels, ray_client_server_port=port)
    names = [label.partition(",")[0].partition("=")[2] for label in labels]
    told = {
        "address": cluster.address,
        "client": f"ray://127.0.0.1:{port}",
        "raylets": dict(zip(names, raylets, strict=True)),
    }
    print(json.dumps(told), flush=True)
    sys.stdin.read()
    ended(cluster)
