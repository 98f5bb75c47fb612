"""Measures services that come with their first client, and leave when nobody uses them.

    python -m benchmarks.on_demand [--rounds N] [--cold N] [--seconds N] [--replicas N] [--port N]
                                   [cold | crowd | idle | around]...

The trivial C service: the time until a client has its first byte from one that was not running, in turn with that of
the same program started plainly; a thousand clients at once on one that is not running; what 200 such services cost
while nobody comes, next to one; and clients that come around the deadline of `idle_stop`, N rounds.
"""

import argparse
import json
import os
import random
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import processes, tools
from benchmarks.contestants import FIRST_PORT
from benchmarks.figures import machine, spread, verdict
from supervisor.control.client import Client

CROWD = 1000
IDLE = 200
WITHIN = 60.0  # seconds until a client must be answered
COLD_WITHIN = 3.0  # milliseconds more than a plain start
AFTER = 0.05  # seconds of `idle_stop`
ONLY = ("cold", "crowd", "idle", "around")


def main() -> int:
    """Prints the figures; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.on_demand", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=10_000, metavar="N", help="around the deadline; default: 10000")
    parser.add_argument("--cold", type=int, default=200, metavar="N", help="cold starts; default: 200")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="N", help="of doing nothing; default: 20")
    parser.add_argument("--replicas", type=int, default=1, metavar="N", help="around the deadline; default: 1")
    parser.add_argument("--port", type=int, default=FIRST_PORT, metavar="N", help=f"the first; default: {FIRST_PORT}")
    parser.add_argument("only", nargs="*", choices=[*ONLY, []], metavar="WHAT", help="default: all")
    options = parser.parse_args()
    port, only = options.port, options.only or ONLY
    processes.end_by_exception()
    tools.portsup()
    who = "root" if os.geteuid() == 0 else "an ordinary user"
    print(f"{machine()}, as {who}\n")
    met = {
        "cold": lambda: cold(port, options.cold), "crowd": lambda: crowd(port),
        "idle": lambda: idle(port, options.seconds), "around": lambda: around(port, options.rounds, options.replicas),
    }  # fmt: skip
    results = [met[each]() for each in only]
    return 0 if all(results) else 1


@contextmanager
def stack(first: int, count: int, **more: Any) -> Iterator[tuple[Client, dict[str, str], str]]:
    """A stack of services that wait for their first clients; how to ask it, its environment, and its mark."""
    folder = Path(tempfile.mkdtemp(prefix="pb"))
    env = {**os.environ, "PORTSUP_RUNTIME_DIR": str(folder / "r"), "PORTSUP_STATE_DIR": str(folder / "s")}
    env[processes.MARK] = folder.name
    services = {
        f"s{port}": {"command": [str(tools.program("server"))], "pool": [port], "start": "on-connect", **more}
        for port in range(first, first + count)
    }
    (folder / "services.yaml").write_text(json.dumps({"name": "bench", "services": services}))
    command = [str(tools.portsup()), "-f", str(folder / "services.yaml")]
    try:
        subprocess.run([*command, "up", "-d"], env=env, check=True, capture_output=True)
        yield Client(folder / "r/bench-1.sock"), env, folder.name
    finally:
        subprocess.run([*command, "down"], env=env, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def until_idle(client: Client) -> None:
    """Returns when the first service waits for a client."""
    until = time.monotonic() + WITHIN
    while client.ask("status")["services"][0]["state"] != "idle":
        if time.monotonic() > until:
            raise SystemExit(f"error: cannot measure: the service did not become idle within {WITHIN:g} s")
        time.sleep(0.005)


def first_byte(port: int) -> float:
    """Milliseconds until a client has it, who tries again when it is refused."""
    begin = time.monotonic()
    while True:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=WITHIN) as client:
            if client.recv(1):
                return (time.monotonic() - begin) * 1000


def plain(port: int) -> float:
    """Milliseconds from the start of the program until a client has its first byte."""
    begin = time.monotonic()
    with subprocess.Popen([str(tools.program("server"))], env={"PORT": str(port)}) as server:
        first_byte(port)
        took = (time.monotonic() - begin) * 1000
        server.kill()
    return took


def cold(port: int, count: int) -> bool:
    """The first byte of a service that was not running, in turn with a plain start."""
    waits, plains = [], []
    with stack(port, 1, idle_stop=AFTER, idle_min_up=0) as (client, *_):
        for _ in range(count):
            until_idle(client)
            waits.append(first_byte(port))
            plains.append(plain(port + 1))
    more = median(waits) - median(plains)
    print(f"{'first byte, on-connect':28}{spread(waits, 'ms')}")
    print(f"{'first byte, plain start':28}{spread(plains, 'ms')}")
    print(f"{'more':28}{more:.2f} ms, within {COLD_WITHIN:g} ms: {verdict(more <= COLD_WITHIN)}\n", flush=True)
    return more <= COLD_WITHIN


def crowd(port: int) -> bool:
    """A thousand clients that connect at the same time."""
    told: Counter[str] = Counter()
    with stack(port, 1) as (client, *_), selectors.DefaultSelector() as waiting:
        until_idle(client)
        for _ in range(CROWD):
            each = socket.socket()
            each.setblocking(False)
            with suppress(BlockingIOError):
                each.connect(("127.0.0.1", port))
            waiting.register(each, selectors.EVENT_READ)
        until = time.monotonic() + WITHIN
        while told.total() < CROWD and (left := until - time.monotonic()) > 0:
            for key, _ in waiting.select(left):
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                try:
                    told["answered" if connection.recv(16) else "cut"] += 1
                except OSError as error:
                    told["refused" if isinstance(error, ConnectionRefusedError) else "cut"] += 1
                waiting.unregister(connection)
                connection.close()
    told["unanswered"] = CROWD - told.total()
    words = ", ".join(f"{told[word]} {word}" for word in ("answered", "refused", "cut", "unanswered"))
    print(f"{f'{CROWD} clients at once':28}{words}: {verdict(told['answered'] == CROWD)}\n", flush=True)
    return told["answered"] == CROWD


def idle(port: int, seconds: float) -> bool:
    """Wake-ups and memory of portsup while nobody comes."""
    found = {}
    for count in (1, IDLE):
        with stack(port, count) as (client, _, mark):
            until_idle(client)
            time.sleep(3.0)
            pids = processes.marked(mark)
            before = processes.context_switches(pids)
            time.sleep(seconds)
            woken, size = processes.context_switches(pids) - before, processes.memory(pids)
        found[count] = woken
        words = f"{woken} wake-ups in {seconds:g} s, {size:.1f} MiB (PSS), {len(pids)} processes"
        print(f"{f'{count} idle services':28}{words}", flush=True)
    print(f"{'wake-ups more':28}{found[IDLE] - found[1]}: {verdict(found[IDLE] <= found[1])}\n", flush=True)
    return found[IDLE] <= found[1]


def around(port: int, rounds: int, replicas: int) -> bool:
    """A client that comes again and again when the service is just about to leave."""
    chance, told, pids = random.Random(0), Counter[str](), set[int]()
    more = {"replicas": replicas} if replicas > 1 else {}
    with stack(port, 1, idle_stop=AFTER, idle_min_up=0, **more):
        for _ in range(rounds):
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=WITHIN) as client:
                    answer = client.recv(16)
                pids.add(int(answer or b"0"))
                told["answered" if answer else "cut"] += 1
            except ConnectionRefusedError:
                told["refused"] += 1
            except ConnectionResetError:
                told["cut"] += 1
            except OSError:
                told["unanswered"] += 1
            time.sleep(AFTER + chance.uniform(-0.01, 0.05))
    words = ", ".join(f"{told[word]} {word}" for word in ("answered", "refused", "cut", "unanswered"))
    print(f"{f'{rounds} clients in turn':28}{words}; {len(pids)} processes: {verdict(told['answered'] == rounds)}")
    return told["answered"] == rounds


if __name__ == "__main__":
    sys.exit(main())
