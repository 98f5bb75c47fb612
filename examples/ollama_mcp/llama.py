"""llama.cpp's server as a process of its own: `python -m examples.ollama_mcp.llama '{"model": …}'`.

`engine.py` starts it. In a process of its own the model keeps nobody waiting, whatever it does, and takes nobody along
when it dies. It says `ready` on standard output, or why there is no model, and lives as long as whoever started it.

xllamacpp always opens a listener, by default on a TCP port that nobody gave it. A path instead makes that a unix
socket.
"""

import json
import os
import sys
import threading
from typing import Any

from examples.child import live_like_the_parent


def main(wanted: dict[str, Any]) -> None:
    """Serves at the path `wanted["at"]` as long as the parent lives."""
    live_like_the_parent()
    try:
        server = start(wanted)
    except ImportError as error:
        print(f"xllamacpp cannot be imported: {error}", flush=True)
    except RuntimeError:
        print(f"`{wanted['model']}` is not a model that llama.cpp can load", flush=True)
    else:
        print("ready", flush=True)
        threading.Event().wait()
        del server
    os._exit(0)  # its threads would be waited for


def start(wanted: dict[str, Any]) -> Any:
    """The server, which serves for as long as this object lives."""
    import xllamacpp

    vectors, context, at_once = wanted["vectors"], wanted["context"], wanted["at_once"]
    params = xllamacpp.CommonParams()
    params.model.path = wanted["model"]
    params.model_alias = {wanted["name"]}
    params.hostnames = [wanted["at"]]  # what ends in `.sock` is a path
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = wanted["threads"]
    params.n_parallel = at_once
    params.n_ctx = context * at_once
    # So many tokens of a prompt are read in one go, and a client that leaves is noticed only after it. A vector is
    # made of a text as a whole.
    params.n_batch = params.n_ubatch = context if vectors else 128
    params.cache_ram_mib = 0  # else it keeps prompts of the past in up to 8 GiB
    params.warmup = params.ui = params.endpoint_slots = False
    params.verbosity = -1
    if vectors:
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
