"""Measures what answers are worth: what Sandra takes questions for, and what the embedded model reads and knows.

    python -m benchmarks.quality [routing] [extraction] [facts]

The questions and what is right are in `quality.yaml`: 60 to be routed, in Spanish and English, 24 texts with a schema,
and 32 facts. Routing needs no model. The others ask the embedded model by way of Ollama MCP, and facts of Sandra too,
who tells it to be brief; each is asked once, with the temperature that clients get who set none, and a fixed seed.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml

from benchmarks.figures import machine
from benchmarks.hops import ROOT, free_port, until_ready
from examples.sandra_ia.classify import load

SETS = ("routing", "extraction", "facts")
TABLE = ROOT / "examples" / "sandra_ia" / "routes.yaml"


def main() -> int:
    """Prints how many are right, and those that are not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__.split("\n")[0])
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}; default: all")
    chosen = parser.parse_args().sets or SETS
    wanted = yaml.safe_load(Path(__file__).with_name("quality.yaml").read_text(encoding="utf-8"))
    print(f"{machine()}\n")
    if "routing" in chosen:
        table = load(TABLE)
        told("routing", [(one["ask"], table.decide(one["ask"]).task, one["task"]) for one in wanted["routing"]])
    if {"extraction", "facts"} & set(chosen):
        with services() as (model, sandra):
            if "extraction" in chosen:
                told("extraction with a schema", [extracted(model, one) for one in wanted["extraction"]])
            if "facts" in chosen:
                told("facts, the model alone", [known(model, one) for one in wanted["facts"]])
                told("facts, by Sandra", [known(sandra, one) for one in wanted["facts"]])
    return 0


def told(name: str, found: list[tuple[str, Any, Any]]) -> None:
    """Says how many are right, and what the others were."""
    wrong = [one for one in found if one[1] != one[2]]
    print(f"{name}: {len(found) - len(wrong)} of {len(found)} right")
    for asked, was, right in wrong:
        print(f"  {asked}  {was!r} in place of {right!r}")


def extracted(url: str, one: dict[str, Any]) -> tuple[str, Any, Any]:
    """What the model takes out of a text."""
    kinds = {str: {"type": "string", "maxLength": 30}, int: {"type": "integer", "minimum": 0, "maximum": 99999}}
    want = one["want"]
    schema = {
        "type": "object",
        "properties": {key: kinds[type(value)] for key, value in want.items()},
        "required": list(want),
        "additionalProperties": False,
    }
    question = f"Take {', '.join(want)} out of this text, as JSON: {one['text']}"
    form = {"type": "json_schema", "json_schema": {"name": "facts", "schema": schema}}
    answer = asked(url, question, response_format=form, max_tokens=100)
    try:
        found = json.loads(answer)
    except ValueError:
        return one["text"], answer, want
    return one["text"], plain(found), plain(want)


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """Without capitals and the space around."""
    return {key: value.strip().lower() if isinstance(value, str) else value for key, value in values.items()}


def known(url: str, one: dict[str, Any]) -> tuple[str, Any, Any]:
    """Whether the answer has the word."""
    answer = asked(url, one["ask"], max_tokens=40)
    right = re.search(rf"\b({one['has']})\b", answer.lower())
    return one["ask"], one["has"] if right else " ".join(answer.split())[:60], one["has"]


def asked(url: str, question: str, **more: Any) -> str:
    """The model's answer."""
    body = {"messages": [{"role": "user", "content": question}], "seed": 1, **more}
    request = urllib.request.Request(
        f"{url}/v1/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=300) as answer:
        return str(json.load(answer)["choices"][0]["message"]["content"])


@contextmanager
def services() -> Iterator[tuple[str, str]]:
    """The addresses of Ollama MCP with its embedded model, and of Sandra in front of it."""
    with ExitStack() as stack:
        addresses: list[str] = []
        for name in ("ollama_mcp", "sandra_ia"):
            port = free_port()
            env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PORT": str(port)}
            env |= {"OLLAMA_BASE_URL": "http://127.0.0.1:1", "OLLAMA_MCP_URL": addresses[0] if addresses else ""}
            command = [sys.executable, "-m", f"examples.{name}"]
            process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.DEVNULL)
            stack.callback(process.wait, 10)
            stack.callback(process.terminate)
            until_ready(port)
            addresses.append(f"http://127.0.0.1:{port}")
        yield addresses[0], addresses[1]


if __name__ == "__main__":
    begin = time.monotonic()
    code = main()
    print(f"\n{time.monotonic() - begin:.0f} s")
    sys.exit(code)
