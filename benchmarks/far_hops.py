"""Measures what the services add that do not pass on HTTP: Conversational to an answer, MCP Universal to a call.

    python -m benchmarks.far_hops [--rounds N]

Behind Conversational is the server of `benchmarks.hops`; in each round it is asked directly, streamed, and then by a
message over the WebSocket, answered in writing. MCP Universal calls a tool of Ollama MCP, which in the same round is
called directly; for it, a client of MCP that stays open is compared with one that MCP Universal opens for each call.
"""

import argparse
import asyncio
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from benchmarks.figures import machine, spread, verdict
from benchmarks.hops import ASKED, GOAL, ROOT, WARM, free_port, server, until_ready
from benchmarks.shipped import processor_time


def main() -> int:
    """Prints the figures; 1 when one of the two adds more than a hop should."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.far_hops", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=100, metavar="N", help="default: 100")
    rounds = parser.parse_args().rounds
    print(f"{machine()}, {rounds} rounds; goal: below {GOAL:g} ms\n")
    with ExitStack() as stack:
        upstream = stack.enter_context(server())
        talker = stack.enter_context(service("conversational", LLM_URL=f"{upstream}/v1", STT="none", TTS="none"))
        first, whole, cost = asyncio.run(talked(upstream, talker, rounds))
        print(f"{'Conversational adds':32}")
        print(f"{'  until the first word':32}{spread(first, 'ms')}: {verdict(median(first) < GOAL)}")
        print(f"{'  to a whole answer':32}{spread(whole, 'ms')}: {verdict(median(whole) < GOAL)}")
        print(f"{'  of processor time':32}{cost:.2f} ms an answer of ten words")
        models = stack.enter_context(service("ollama_mcp", OLLAMA_BASE_URL=upstream, OLLAMA_MCP_MODEL_PATH="/nothing"))
        tools = stack.enter_context(service("mcp_universal", OLLAMA_MCP_URL=models[0], MCP_ROOT=str(ROOT / "docs")))
        own, direct, called = asyncio.run(tried(models[0], tools[0], rounds))
        print(f"\n{'a call of read_file':32}{spread(own, 'ms')}")
        print(f"{'a call of list_models':32}{spread(direct, 'ms')}")
        print(f"{'  by way of MCP Universal':32}{spread(called, 'ms')}")
        added = [through - alone for through, alone in zip(called, direct, strict=True)]
        print(f"{'  which it adds':32}{spread(added, 'ms')}: {verdict(median(added) < GOAL)}")
    return 0 if max(median(first), median(whole), median(added)) < GOAL else 1


async def talked(upstream: str, talker: tuple[str, int], rounds: int) -> tuple[list[float], list[float], float]:
    """Milliseconds that are added until the first word and to the whole answer, and processor time for one."""
    from websockets.asyncio.client import connect

    url, pid = talker
    first: list[float] = []
    whole: list[float] = []
    before = 0.0
    for count in range(rounds + WARM):
        if count == WARM:
            before = processor_time([pid])
        begun, ended = await asyncio.to_thread(streamed, upstream)
        # A conversation of its own: what was said before would be told to the model again.
        async with connect(f"{url.replace('http', 'ws')}/ws", proxy=None) as socket:
            await until(socket, "state")
            begin = time.perf_counter()
            await socket.send(json.dumps({"type": "input.text", "text": "Tell me of rivers."}))
            await until(socket, "response.text.delta")
            word = time.perf_counter() - begin
            await until(socket, "response.done")
            if count >= WARM:
                first.append((word - begun) * 1000)
                whole.append((time.perf_counter() - begin - ended) * 1000)
    return first, whole, (processor_time([pid]) - before) / rounds


async def until(socket: Any, kind: str) -> None:
    """Reads up to a message of this type."""
    while json.loads(await socket.recv())["type"] != kind:
        pass


def streamed(upstream: str) -> tuple[float, float]:
    """Seconds until the first event and until the end, on a connection of its own."""
    connection = http.client.HTTPConnection(urlsplit(upstream).netloc, timeout=20)
    try:
        begin = time.perf_counter()
        body = json.dumps({**ASKED, "stream": True})
        connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
        answer = connection.getresponse()
        answer.readline()
        begun = time.perf_counter() - begin
        answer.read()
        return begun, time.perf_counter() - begin
    finally:
        connection.close()


async def tried(models: str, tools: str, rounds: int) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of a call of read_file, of list_models, and of the latter through MCP Universal."""
    from mcp import Client

    taken: tuple[list[float], list[float], list[float]] = ([], [], [])
    through = {"service": "ollama-mcp", "tool": "list_models", "arguments": {}}
    async with Client(f"{tools}/mcp") as universal, Client(f"{models}/mcp") as direct:
        for count in range(rounds + WARM):
            for client, name, arguments, into in (
                (universal, "read_file", {"path": "index.md"}, taken[0]),
                (direct, "list_models", {}, taken[1]),
                (universal, "call_service", through, taken[2]),
            ):
                begin = time.perf_counter()
                result = await client.call_tool(name, arguments)
                if result.is_error:
                    raise SystemExit(f"error: cannot measure: {name} answered {result.content}")
                if count >= WARM:
                    into.append((time.perf_counter() - begin) * 1000)
    return taken


@contextmanager
def service(name: str, **variables: str) -> Iterator[tuple[str, int]]:
    """The address and pid of a service of the stack."""
    port = free_port()
    env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PORT": str(port), **variables}
    process = subprocess.Popen(
        [sys.executable, "-m", f"examples.{name}"], cwd=Path(ROOT), env=env, stderr=subprocess.DEVNULL
    )
    try:
        until_ready(port)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    sys.exit(main())
