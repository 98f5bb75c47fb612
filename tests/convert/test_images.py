"""Services of compose that are only an image, where the program of it may be on this machine."""

from pathlib import Path

import pytest
import yaml

from supervisor.convert.around import Around
from tests.convert.conftest import Converted

TEXT = """
services:
  web: {command: ./web --redis redis:6379, depends_on: [store]}
  store: {image: "redis:7-alpine", container_name: redis}
  database: {image: "postgres:16"}
"""


def _converted(folder: Path, text: str, *programs: str) -> Converted:
    return Converted("compose", text, folder, None, Around(has_program=lambda name: name in programs))


def test_an_image_that_needs_nothing_else_runs_the_program_of_this_machine(tmp_path: Path) -> None:
    result = _converted(tmp_path, TEXT, "redis-server", "postgres")
    store = result.stack.services["store"]
    assert (list(store.command), store.pool[0]) == (["redis-server", "--port", "{port}"], 6379)
    assert result.services["web"]["command"] == ["./web", "--redis", "127.0.0.1:{port:store}"]
    assert result.services["web"]["depends_on"] == {"store": "started"}
    assert "`redis-server` is there" in result.left["store"]
    assert set(result.services) == {"web", "store"}, "a database needs data that is made before"


def test_without_the_program_it_is_a_block_that_can_be_put_in(tmp_path: Path) -> None:
    result = _converted(tmp_path, TEXT)
    assert set(result.services) == {"web"}
    for name, port in (("store", 6379), ("database", 5432)):
        _, _, block = result.text.partition(f"\n# {name}:\n")
        lines = [line[4:] for line in block.partition("\n\n")[0].splitlines()]
        assert yaml.safe_load("\n".join(lines))["pool"][0] == port


@pytest.mark.parametrize(
    ("service", "command", "port"),
    [
        ("{image: redis, ports: ['6400:6379']}", ["redis-server", "--port", "{port}"], 6400),
        ("{image: redis, command: --save ''}", ["redis-server", "--port", "{port}", "--save", ""], 6379),
        ("{image: redis, command: --port 7000}", ["redis-server", "--port", "{port}"], 7000),
        ("{image: 'x.io/me/memcached:1'}", ["memcached", "-p", "{port}"], 11211),
        ("{image: memcached, command: ['-m', '64']}", ["memcached", "-p", "{port}", "-m", "64"], 11211),
    ],
)
def test_options_go_to_the_program_of_the_image(service: str, command: list[str], port: int, tmp_path: Path) -> None:
    result = _converted(tmp_path, f"services: {{x: {service}}}", "redis-server", "memcached")
    spec = result.stack.services["x"]
    assert (list(spec.command), spec.pool[0]) == (command, port)
