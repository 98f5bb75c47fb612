"""What a stack of up to 1,000 services costs: `up`, `status`, `reload`, `down`, memory, and the longest stall.

    python -m benchmarks.curve [--counts N,N,…] [--svg FILE]

The services are small C programs that do not depend on each other, each with a pool of one port, which is locked and
reserved, and handed over.  `reload` finds one service changed.  Draws the figures, each as a multiple of what it is
with the fewest services, beside a line for what grows as the services do.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from benchmarks import processes, tools
from benchmarks.figures import machine, verdict
from supervisor.control.client import Client

FIRST_PORT = 31000
COUNTS = (10, 50, 200, 500, 1000)
WITHIN = 600.0  # seconds that bound each step
STALL_GOAL = 20.0  # milliseconds of the loop's longest turn, with most services
UNITS = {"up": "s", "status": "s", "reload": "s", "down": "s", "memory": "MiB", "stall": "ms"}
PICTURE = Path(__file__).parent / "curve.svg"


def main() -> int:
    """Prints the table and draws the picture; 1 when the goal for stalls is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curve", description=__doc__.split("\n")[0])
    counts = ",".join(map(str, COUNTS))
    parser.add_argument("--counts", default=counts, metavar="N,…", help=f"services (default: {counts})")
    parser.add_argument("--svg", type=Path, default=PICTURE, metavar="FILE", help="default: benchmarks/curve.svg")
    options = parser.parse_args()
    processes.end_by_exception()
    told = machine()
    print(f"{told}\n\n| services | {' | '.join(f'{name}, {unit}' for name, unit in UNITS.items())} |")
    print("|---" * (len(UNITS) + 1) + "|")
    found: dict[int, dict[str, float]] = {}
    for count in map(int, options.counts.split(",")):
        found[count] = figures_of(count)
        print(f"| {count} | {' | '.join(f'{found[count][name]:.3g}' for name in UNITS)} |", flush=True)
    options.svg.write_text(picture(found, told.removeprefix("# ")))
    is_met = found[max(found)]["stall"] < STALL_GOAL
    print(f"\nlongest stall with {max(found)} services below {STALL_GOAL:g} ms: {verdict(is_met)}")
    return 0 if is_met else 1


def figures_of(count: int) -> dict[str, float]:
    """Each figure of a stack of so many services."""
    server = str(tools.program("server"))
    services = {f"s{port}": {"command": [server], "pool": [port]} for port in range(FIRST_PORT, FIRST_PORT + count)}
    folder = Path(tempfile.mkdtemp(prefix="pb"))
    environment = {**os.environ, "PORTSUP_RUNTIME_DIR": f"{folder}/r", "PORTSUP_STATE_DIR": f"{folder}/s"}

    def write() -> None:
        (folder / "services.yaml").write_text(json.dumps({"name": "curve", "services": services}))

    def took(*words: str) -> float:
        begun = time.monotonic()
        done = subprocess.run(
            [str(tools.portsup()), *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=WITHIN
        )
        if done.returncode:
            raise RuntimeError(f"`{words[0]}` returned {done.returncode}: {done.stderr[-500:]}")
        return time.monotonic() - begun

    write()
    found: dict[str, float] = {}
    try:
        found["up"] = took("up", "-d")
        found["status"] = took("status")
        (record,) = (folder / "r/instances").glob("*.json")
        daemon = int(json.loads(record.read_text())["pid"])
        found["memory"] = processes.memory([daemon, parent_of(daemon)])
        services[f"s{FIRST_PORT}"]["command"] = ["env", server]
        write()
        found["reload"] = took("reload")
        (socket,) = (folder / "r").glob("*.sock")
        found["stall"] = float(Client(socket, patience=WITHIN).ask("status")["loop"]["longest_stall_s"]) * 1000
        found["down"] = took("down")
    finally:
        if len(found) < len(UNITS):
            took("down")
        shutil.rmtree(folder, ignore_errors=True)
    return found


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


_WIDTH, _HEIGHT, _LEFT, _TOP, _ASIDE = 640, 400, 80, 40, 140  # of the plane, and what is around it
_COLOURS = ("#0969da", "#1a7f37", "#9a6700", "#cf222e", "#8250df", "#bf3989")


def picture(found: Mapping[int, Mapping[str, float]], title: str) -> str:
    """The curves as a file that a browser shows."""
    counts = sorted(found)
    first = found[counts[0]]
    curves = {name: [found[count][name] / (first[name] or 1.0) for count in counts] for name in UNITS}
    most = max(map(max, curves.values()))

    def points(values: Sequence[float]) -> str:
        places = (
            f"{_LEFT + _WIDTH * count / counts[-1]:.1f},{_TOP + _HEIGHT * (1 - value / most):.1f}"
            for count, value in zip(counts, values, strict=True)
        )
        return " ".join(places)

    bottom = _TOP + _HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + _ASIDE} {bottom + 50}" role="img">',
        f"<title>{escape(title)}</title>",
        "<style>text{font:12px system-ui,sans-serif;fill:#57606a}polyline{fill:none;stroke-width:2}svg{background:#fff}"
        "</style>",
        f'<text x="{_LEFT}" y="20">{escape(title)}</text>',
        f'<polyline stroke="#57606a" points="{_LEFT},{_TOP} {_LEFT},{bottom} {_LEFT + _WIDTH},{bottom}"/>',
        f'<text x="{_LEFT - 8}" y="{_TOP + 5}" text-anchor="end">{most:.0f} times</text>',
        f'<text x="{_LEFT - 8}" y="{bottom}" text-anchor="end">0</text>',
        f'<text x="{_LEFT + _WIDTH / 2}" y="{bottom + 40}" text-anchor="middle">services</text>',
    ]
    for count in counts:
        x = _LEFT + _WIDTH * count / counts[-1]
        lines.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{count}</text>')
    share = min(1.0, most * counts[0] / counts[-1])  # where it leaves the plane, at its top or on the right
    x, y = _LEFT + _WIDTH * share, bottom - _HEIGHT * share * counts[-1] / counts[0] / most
    lines.append(f'<polyline stroke="#8b95a1" stroke-dasharray="4" points="{_LEFT},{bottom} {x:.1f},{y:.1f}"/>')
    lines.append(f'<text x="{x + 8:.1f}" y="{y + 12:.1f}">in proportion to the services</text>')
    places = spread_out({name: _TOP + _HEIGHT * (1 - values[-1] / most) for name, values in curves.items()})
    for (name, values), colour in zip(curves.items(), _COLOURS, strict=True):
        said = f"{name} {found[counts[-1]][name]:.3g} {UNITS[name]}"
        lines.append(f'<polyline stroke="{colour}" points="{points(values)}"/>')
        lines.append(f'<text x="{_LEFT + _WIDTH + 8}" y="{places[name]:.0f}" style="fill:{colour}">{said}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def spread_out(places: Mapping[str, float], apart: float = 15.0) -> dict[str, float]:
    """The places of labels from top to bottom, moved so that none covers another."""
    found: dict[str, float] = {}
    lowest = float(_TOP + _HEIGHT)
    for name in sorted(places, key=lambda each: -places[each]):
        found[name] = lowest = min(places[name] + 4, lowest)
        lowest -= apart
    return found


if __name__ == "__main__":
    sys.exit(main())
