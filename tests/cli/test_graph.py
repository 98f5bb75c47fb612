"""`portsup graph`: what a service needs, does by itself, and costs."""

import json
from pathlib import Path

from supervisor.cli.commands.graph import as_json, as_text
from supervisor.config.load import load

FILE = """
budget: {memory: 6GB}
services:
  db: {command: x, pool: 8010-8012, stdio: mcp}
  api:
    command: x
    pool: 8000-8002
    start: on-connect
    idle_stop: 10m
    memory_cost: 2GB
    watch: [src, web]
    depends_on: [db]
"""


def test_what_a_service_does_by_itself_and_costs_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "services.yaml"
    file.write_text(FILE)
    stack = load(file, {})
    assert as_text(stack) == [
        "1.",
        "  db  8010-8012  stdio one",
        "2.",
        "  api  8000-8002  on-connect  idle_stop 600 s  watch src web  memory_cost 2 GB  after db (ready)",
    ]
    db, api = map(json.loads, as_json(stack))
    keys = ("idle_stop", "watch", "stdio", "memory_cost")
    assert [db[key] for key in keys] == [None, None, "one", None]
    assert [api[key] for key in keys] == [600.0, ["src", "web"], None, 2 * 1024**3]
