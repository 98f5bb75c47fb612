"""Measures what a hop through each service of the shipped stack adds to an answer, whole and streamed.

    python -m benchmarks.hops [--rounds N]

Behind all of them is one server in this process that answers at once, so what is measured is the way there and back. In
each round it is asked directly and then through each service, one after the other, on connections that stay open; a
figure is the difference to the direct answer of the same round. Each event of a stream carries the time at which it was
sent, so for a stream the figure is what the hop adds until an event is with the client. The processor time of a service
for an answer does not depend on what else the machine does; the other figures do.
"""

import argparse
import asyncio
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from benchmarks.figures import machine, spread, verdict
from benchmarks.shipped import processor_time

ROOT = Path(__file__).parents[1]
GOAL = 3.0  # milliseconds
WARM = 5  # rounds that open connections and fill caches
EVENTS = 10  # of a stream, 2 ms apart
ASKED = {"model": "m", "messages": [{"role": "user", "content": "Tell me of rivers."}]}
WHOLE = {"model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Long."}}]}

ABOUT = {"version": "0.9.9", "data": [{"id": "m"}], "models": [{"name": "m"}]}  # what is asked for before a chat


@dataclass(frozen=True)
class Way:
    """One way to the answer: an address, and the path to ask there."""

    name: str
    url: str
    path: str
    pid: int = 0


def main() -> int:
    """Prints the figures; 1 when a hop adds more than it should."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hops", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=200, metavar="N", help="default: 200")
    rounds = parser.parse_args().rounds
    print(f"{machine()}, {rounds} rounds; goal: below {GOAL:g} ms\n")
    is_good = True
    with ExitStack() as stack:
        upstream = stack.enter_context(server())
        ways = [Way("direct", upstream, "/v1/chat/completions"), *stack.enter_context(services(upstream))]
        for streamed in (False, True):
            before = {way.name: processor_time([way.pid]) for way in ways if way.pid}
            taken = measured(ways, rounds, streamed=streamed)
            costs = {way.name: processor_time([way.pid]) - before[way.name] for way in ways if way.pid}
            print("an event of a stream" if streamed else "a whole answer")
            print(f"  {'direct':24}{spread(taken.pop('direct'), 'ms')}")
            for name, added in taken.items():
                is_good &= median(added) < GOAL
                cost = f"{costs[name] / (rounds + WARM):.2f} ms of processor time"
                print(f"  {name + ' adds':24}{spread(added, 'ms')}, {cost}: {verdict(median(added) < GOAL)}")
    return 0 if is_good else 1


def measured(ways: list[Way], rounds: int, *, streamed: bool) -> dict[str, list[float]]:
    """Milliseconds of the direct way, and what each other way takes longer, round by round."""
    open_ones = {way: http.client.HTTPConnection(urlsplit(way.url).netloc, timeout=20) for way in ways}
    taken: dict[str, list[float]] = {way.name: [] for way in ways}
    for count in range(rounds + WARM):
        direct = 0.0
        for way, connection in open_ones.items():
            value = one(connection, way.path, streamed=streamed)
            if way.name == "direct":
                direct = value
            if count >= WARM:
                taken[way.name].append(value if way.name == "direct" else value - direct)
    for connection in open_ones.values():
        connection.close()
    return taken


def one(connection: http.client.HTTPConnection, path: str, *, streamed: bool) -> float:
    """Milliseconds until the whole answer is there; of a stream, the median until an event is."""
    body = json.dumps({**ASKED, "stream": streamed})
    begin = time.perf_counter_ns()
    connection.request("POST", path, body, {"content-type": "application/json"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"error: cannot measure: {path} answered {answer.status}: {answer.read()[:200]!r}")
    if not streamed:
        answer.read()
        return (time.perf_counter_ns() - begin) / 1e6
    late: list[int] = []
    while line := answer.readline():
        if line.startswith(b"data: {"):
            late.append(time.perf_counter_ns() - json.loads(line[6:])["sent"])
    if len(late) != EVENTS:
        raise SystemExit(f"error: cannot measure: {len(late)} of {EVENTS} events came through {path}")
    return median(late) / 1e6


@contextmanager
def services(upstream: str) -> Iterator[list[Way]]:
    """Those that pass answers on, each in front of `upstream`."""
    chat = "/v1/chat/completions"
    wanted = {
        "groq_api": (chat, {"GROQ_BASE_URL": f"{upstream}/v1", "GROQ_API_KEY": "k"}),
        "ollama_mcp": (chat, {"OLLAMA_BASE_URL": upstream, "OLLAMA_MCP_MODEL_PATH": "/nothing"}),
        "sandra_ia": (chat, {"OLLAMA_MCP_URL": upstream}),
        "api_server": (f"/up{chat}", {"PORTSUP_UP_URL": upstream}),
    }
    with ExitStack() as stack:
        ways = []
        for name, (path, variables) in wanted.items():
            port = free_port()
            env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PORT": str(port), **variables}
            command = [sys.executable, "-m", f"examples.{name}"]
            process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.DEVNULL)
            stack.callback(process.wait, 10)
            stack.callback(process.terminate)
            until_ready(port)
            ways.append(Way(name.replace("_", "-"), f"http://127.0.0.1:{port}", path, process.pid))
        yield ways


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def until_ready(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/health/ready")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise SystemExit(f"error: cannot measure: nothing is ready on port {port}")


@contextmanager
def server() -> Iterator[str]:
    """A server that answers at once, in a thread of its own."""
    loop = asyncio.new_event_loop()
    started: asyncio.Server = loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{started.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Chats, whole or streamed, and what the services ask of a server before they believe in it."""
    try:
        while head := (await reader.readuntil(b"\r\n\r\n")).lower():
            if b"transfer-encoding: chunked" in head:
                body = b""
                while size := int(await reader.readline(), 16):
                    body += await reader.readexactly(size)
                    await reader.readline()
                await reader.readline()
            else:
                length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
                body = await reader.readexactly(int(length or 0))
            if b'"stream": true' in body or b'"stream":true' in body:
                await stream(writer)
                continue
            content = json.dumps(WHOLE if head.startswith(b"post") else ABOUT).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def stream(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    for number in range(EVENTS):
        part = {"choices": [{"index": 0, "delta": {"content": f"{number} "}}], "sent": time.perf_counter_ns()}
        event = b"data: %s\n\n" % json.dumps(part).encode()
        writer.write(b"%x\r\n%s\r\n" % (len(event), event))
        await asyncio.sleep(0.002)
    end = b"data: [DONE]\n\n"
    writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(end), end))


if __name__ == "__main__":
    sys.exit(main())
