"""How a service finds the others."""

import json
from pathlib import Path

from examples.peers import Peers


def publish(path: Path, port: int) -> None:
    entry = {"port": port, "host": "127.0.0.1", "url": f"http://127.0.0.1:{port}", "pool": [6030, 6031]}
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"stack": "sandra", "instance": 1, "services": {"sandra-ia": entry}}))
    new.replace(path)


def test_a_peer_that_moved_is_found_at_its_new_port(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    publish(path, 6030)
    peers = Peers({"PORTSUP_ENDPOINTS": str(path), "PORTSUP_SANDRA_IA_URL": "http://127.0.0.1:1"})
    assert peers.url("sandra-ia") == "http://127.0.0.1:6030"
    publish(path, 6031)
    assert peers.url("sandra-ia") == "http://127.0.0.1:6031"
    assert peers.all()["sandra-ia"].pool == (6030, 6031)


def test_a_file_that_is_gone_or_broken_leaves_what_was_read_last(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    publish(path, 6030)
    peers = Peers({"PORTSUP_ENDPOINTS": str(path)})
    assert peers.url("sandra-ia") == "http://127.0.0.1:6030"
    for text in ("{", "[]", '{"services": 1}', "\xff"):
        path.write_text(text, encoding="latin-1")
        assert peers.url("sandra-ia") == "http://127.0.0.1:6030"
    path.unlink()
    assert peers.url("sandra-ia") == "http://127.0.0.1:6030"


def test_without_a_file_the_environment_tells() -> None:
    peers = Peers({"PORTSUP_OLLAMA_MCP_URL": "http://127.0.0.1:6011/", "PORTSUP_OLLAMA_MCP_PORT": "6011"})
    assert peers.url("ollama-mcp") == "http://127.0.0.1:6011"
    assert peers.all()["ollama-mcp"].port == 6011
    assert peers.url("groq-api") is None


def test_an_address_that_the_user_gives_wins(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    publish(path, 6030)
    peers = Peers({"PORTSUP_ENDPOINTS": str(path), "SANDRA_IA_URL": "http://127.0.0.1:7777"})
    assert peers.url("sandra-ia") == "http://127.0.0.1:7777"


def test_a_peer_is_shown_its_own_token_or_the_common_one() -> None:
    peers = Peers({"PORTSUP_EXAMPLE_TOKEN": "common", "OLLAMA_MCP_TOKEN": "own"})
    assert peers.headers("ollama-mcp") == {"authorization": "Bearer own"}
    assert peers.headers("groq-api") == {"authorization": "Bearer common"}
    assert Peers({}).headers("groq-api") == {}
