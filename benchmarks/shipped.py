"""Brings the shipped stack up and down again: how long that takes, and what it costs.

    python -m benchmarks.shipped [--rounds N] [--instance N]

The time of `up -d` ends when all six services are ready. One round before the first one that counts fills the caches.
Memory is that of the idle stack, then after an answer, a vector, and a sentence spoken and heard, and then when the
engines of these have left (`ENGINE_IDLE_STOP` is 15 here). Locks and logs are in a folder of their own.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import httpx2

from benchmarks import processes, tools
from benchmarks.figures import machine, spread, verdict
from examples.fetch_model import FETCHED

ROOT = Path(__file__).parents[1]
READY_WITHIN = 4000.0  # milliseconds
GONE_WITHIN = 2000.0
IDLE_WITHIN = 255.0  # MiB: half of what the stack took when its models stayed in memory
STAGES = ("idle", "in use", "left again")


def main() -> int:
    """Prints the figures; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shipped", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: 5")
    parser.add_argument("--instance", type=int, default=1, metavar="N", help="whose ports to use; default: 1")
    options = parser.parse_args()
    model = "with" if FETCHED.is_file() and find_spec("xllamacpp") else "without"
    speech = "with" if find_spec("faster_whisper") else "without"
    print(f"{machine()}, {model} the embedded model, {speech} the speech packages\n")
    rounds = [one_round(options.instance) for _ in range(options.rounds + 1)]
    ups, costs, parts, downs = zip(*rounds[1:], strict=True)
    sizes = {stage: [sum(each[stage].values()) for each in parts] for stage in STAGES}
    fast, gone = median(ups) <= READY_WITHIN, median(downs) <= GONE_WITHIN
    small = median(sizes["idle"]) <= IDLE_WITHIN
    print(f"{'until all are ready':24}{spread(ups, 'ms')}, within {READY_WITHIN:g} ms: {verdict(fast)}")
    print(f"{'processor time of that':24}{spread(costs, 'ms')}")
    print(f"{'until all are gone':24}{spread(downs, 'ms')}, within {GONE_WITHIN:g} ms: {verdict(gone)}")
    for stage in STAGES:
        goal = f", within {IDLE_WITHIN:g} MiB: {verdict(small)}" if stage == "idle" else ""
        print(f"{f'memory (PSS), {stage}':24}{spread(sizes[stage], 'MiB')}{goal}")
        for name in parts[0][stage]:
            print(f"  {name:22}{spread([each[stage][name] for each in parts], 'MiB')}")
    return 0 if fast and gone and small else 1


def one_round(instance: int) -> tuple[float, float, dict[str, dict[str, float]], float]:
    """Milliseconds of `up -d`, those on a processor until then, the MiB of each service by stage, and `down`'s
    milliseconds."""
    folder = Path(tempfile.mkdtemp(prefix="pb"))
    mark = folder.name
    places = {"PORTSUP_RUNTIME_DIR": str(folder / "run"), "PORTSUP_STATE_DIR": str(folder / "state")}
    env = {**os.environ, **places, processes.MARK: mark, "ENGINE_IDLE_STOP": "15"}
    portsup = [str(tools.portsup()), "-f", str(ROOT / "services.yaml"), "--instance", str(instance)]
    try:
        up = timed([*portsup, "up", "-d"], env)
        cost = processor_time(processes.marked(mark))
        urls = {
            name: subprocess.check_output([*portsup, "url", name], env=env, text=True).strip()
            for name in ("ollama-mcp", "conversational")
        }
        with httpx2.Client(trust_env=False, timeout=60) as http:
            wait(lambda: "loading" not in states(http, urls))
            sizes = {"idle": by_service(processes.marked(mark))}
            use(http, urls)
            sizes["in use"] = by_service(processes.marked(mark))
            wait(lambda: not {"ok", "loading"} & states(http, urls))
            sizes["left again"] = by_service(processes.marked(mark))
        return up, cost, sizes, timed([*portsup, "down"], env)
    finally:
        subprocess.run([*portsup, "down"], env=env, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def use(http: httpx2.Client, urls: Mapping[str, str]) -> None:
    """Has each engine work, as far as it is installed."""
    question = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8}
    http.post(f"{urls['ollama-mcp']}/v1/chat/completions", json=question)
    http.post(f"{urls['ollama-mcp']}/v1/embeddings", json={"input": "a cat"})
    sound = http.post(f"{urls['conversational']}/tts", json={"text": "What is the capital of Spain?"}).content
    http.post(f"{urls['conversational']}/stt", content=sound)


def states(http: httpx2.Client, urls: Mapping[str, str]) -> set[str]:
    """How the engines are, as `/health` tells."""
    told = [http.get(f"{url}/health").json()["checks"] for url in urls.values()]
    return {checks[name] for checks in told for name in ("model", "stt", "tts") if name in checks}


def wait(for_it: Callable[[], bool]) -> None:
    """Returns when it is so, or after a minute."""
    until = time.monotonic() + 60
    while not for_it() and time.monotonic() < until:
        time.sleep(0.1)


def by_service(pids: Iterable[int]) -> dict[str, float]:
    """MiB (PSS) of the processes of each service, and of portsup itself."""
    found: dict[str, float] = {}
    for pid in pids:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        names = [each.partition(b"=")[2].decode() for each in variables if each.startswith(b"PORTSUP_SERVICE=")]
        name = names[0] if names else "portsup"
        found[name] = found.get(name, 0.0) + processes.memory([pid])
    return dict(sorted(found.items()))


def processor_time(pids: Iterable[int]) -> float:
    """Milliseconds, user and system, of these processes and of those of their children that have ended."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


def timed(command: list[str], env: dict[str, str]) -> float:
    begin = time.monotonic()
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise SystemExit(f"error: cannot measure: `{' '.join(command)}` ended with {done.returncode}\n{done.stderr}")
    return (time.monotonic() - begin) * 1000


if __name__ == "__main__":
    sys.exit(main())
