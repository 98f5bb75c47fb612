"""`portsup up` of six services under wine, held against a loop that starts the same programs and waits for them.

    python -m benchmarks.wine [--rounds 5]

Needs what `.ci/windows.sh` installs.  The rounds of both are interleaved; each begins with a new Python and ends when
every program has answered.  Only the ratio means anything: wine's processes take several times as long as Windows'.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import machine
from tests.support.ports import free_pool
from tests.windows.wine import PYTHON, WINE, Running, Wine, eventually, why_not

COUNT = 6
GOAL = 2.0  # as often as the loop
SERVICE = """\
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        server.accept()[0].close()
"""
LOOP = """\
import socket, subprocess, sys, time
ports = sys.argv[1:]
programs = [subprocess.Popen([sys.executable, "-u", "service.py", port]) for port in ports]
for port in ports:
    while True:
        try:
            socket.create_connection(("127.0.0.1", int(port)), 1).close()
            break
        except OSError:
            time.sleep(0.01)
print("all answer", flush=True)
for program in programs:
    program.kill()
    program.wait()
"""


def seconds_of_loop(wine: Wine, folder: Path, ports: list[int]) -> float:
    """From the start of the loop until the last program has answered."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [str(WINE), str(PYTHON), "loop.py", *map(str, ports)], env=wine.environment, cwd=folder,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    taken = time.monotonic() - begun
    assert "all answer" in line, line
    process.communicate(timeout=120)
    return taken


def seconds_of_portsup(wine: Wine, folder: Path) -> float:
    """From the start of `portsup up` until it says that the stack is up."""
    begun = time.monotonic()
    up = Running(wine, ("up",), folder)
    eventually(lambda: "is up after" in up.output)
    taken = time.monotonic() - begun
    down = wine.portsup("down", cwd=folder)
    assert down.returncode == 0, down.stdout + down.stderr
    assert up.wait() == 0, up.output
    return taken


def write(folder: Path, ports: list[int]) -> None:
    """The programs, and a services.yaml that runs them."""
    (folder / "service.py").write_text(SERVICE)
    (folder / "loop.py").write_text(LOOP)
    services = {
        f"s{number}": {
            "command": ["python", "-u", "service.py", "{port}"], "pool": [port],
            "ready": {"listening": True, "timeout": "120s"}, "stop_grace_period": "0.5s",
        }
        for number, port in enumerate(ports)
    }  # fmt: skip
    (folder / "services.yaml").write_text(json.dumps({"name": "six", "services": services}))


def main() -> int:
    """Measures, and prints what it saw; 1 where the goal was missed, 2 where nothing can be measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    if why := why_not():
        print(why, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wine = Wine(folder)
        try:
            ports = list(free_pool(COUNT))
            write(folder, ports)
            loops, ups = [], []
            for _ in range(rounds):
                loops.append(seconds_of_loop(wine, folder, ports))
                ups.append(seconds_of_portsup(wine, folder))
        finally:
            wine.close()
    ratio = statistics.median(ups) / statistics.median(loops)
    print(machine())
    print(f"loop:    {statistics.median(loops):.2f} s ({', '.join(f'{each:.2f}' for each in loops)})")
    print(f"portsup: {statistics.median(ups):.2f} s ({', '.join(f'{each:.2f}' for each in ups)})")
    print(f"ratio:   {ratio:.2f}, goal {GOAL:g}: {'met' if ratio <= GOAL else 'missed'}")
    return int(ratio > GOAL)


if __name__ == "__main__":
    sys.exit(main())
