"""The file tools of MCP Universal through the official client, searches, and news of files that were subscribed to."""

import asyncio
import os
import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.shared.subscriptions import ResourceUpdated

from tests.examples.mcp_client import TOKEN, ask, call
from tests.examples.running import Running, service
from tests.examples.test_mcp_sessions import ask as ask_raw
from tests.examples.test_mcp_sessions import begin, message
from tests.support.needed import need_program

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    (root / "src").mkdir()
    (root / "src" / "one.py").write_text("alpha = 1\nBETA = 2\n")
    (root / "src" / "{two}.py").write_text("alpha = 22\n")
    (root / ".hidden").write_text("alpha hidden\n")
    (root / "binary").write_bytes(b"alpha\0\xff")
    (root / "big").write_bytes(b"alpha " * 300_000)
    (root.parent / "outside").mkdir()
    (root.parent / "outside" / "x.py").write_text("alpha outside\n")
    (root / "out").symlink_to(root.parent / "outside")
    return root


@pytest.fixture(scope="module")
def guarded(root: Path) -> Iterator[Running]:
    with service("mcp_universal", MCP_ROOT=str(root), MCP_TOKEN=TOKEN) as running:
        yield running


@pytest.fixture(scope="module")
def without_ripgrep(root: Path) -> Iterator[Running]:
    """No sandbox, so no ripgrep: nothing else of PATH is needed."""
    with service("mcp_universal", MCP_ROOT=str(root), MCP_TOKEN=TOKEN, PATH="/nowhere") as running:
        yield running


def test_files_are_changed_by_tools(guarded: Running, root: Path) -> None:
    assert call(guarded, "create_directory", path="new/deep") == {"path": "new/deep", "created": True}
    call(guarded, "write_file", path="new/a.txt", content="one\ntwo\n")
    edits = [{"old_text": "two", "new_text": "three"}]
    shown = call(guarded, "edit_file", path="new/a.txt", edits=edits, dry_run=True)
    assert (shown["written"], "-two\n+three\n" in shown["diff"]) == (False, True)
    assert call(guarded, "edit_file", path="new/a.txt", edits=edits)["written"] is True
    call(guarded, "move_file", source="new/a.txt", destination="new/deep/b.txt")
    assert (root / "new/deep/b.txt").read_text() == "one\nthree\n"
    assert call(guarded, "get_file_info", path="new/deep/b.txt")["size"] == 10
    (node,) = call(guarded, "directory_tree", path="new")["children"]
    assert [child["name"] for child in node["children"]] == ["b.txt"]
    read = call(guarded, "read_multiple_files", paths=["new/deep/b.txt", "nothing"])["files"]
    assert read[0]["content"]["content"] == "one\nthree\n"
    assert (read[1]["content"], read[1]["error"].partition(":")[0]) == (None, "not_found")
    assert call(guarded, "delete_file", path="new").startswith("not_empty: ")
    assert call(guarded, "delete_file", path="new", recursive=True) == {"path": "new", "kind": "folder"}
    assert not (root / "new").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
def test_a_fifo_stays_one(guarded: Running, root: Path) -> None:
    os.mkfifo(root / "pipe")
    assert call(guarded, "write_file", path="pipe", content="x").startswith("not_a_file: ")
    assert (root / "pipe").is_fifo()


def test_without_a_token_nothing_is_changed(root: Path) -> None:
    with service("mcp_universal", MCP_ROOT=str(root)) as plain:
        for name, arguments in (
            ("edit_file", {"path": "src/one.py", "edits": [{"old_text": "alpha", "new_text": "x"}]}),
            ("move_file", {"source": "src/one.py", "destination": "x"}),
            ("delete_file", {"path": "src", "recursive": True}),
            ("create_directory", {"path": "y"}),
        ):
            assert call(plain, name, **arguments).startswith("auth_required: ")
    assert (root / "src" / "one.py").exists()


def found(running: Running, **arguments: object) -> list[tuple[str, int, str]]:
    answer = call(running, "search_files", **arguments)
    return [(match["path"], match["line"], match["text"]) for match in answer["matches"]]


def test_both_ways_of_searching_find_the_same(guarded: Running, without_ripgrep: Running) -> None:
    for arguments in (
        {"text": "alpha"},
        {"text": "alpha", "glob": "src/*.py"},
        {"text": "alpha", "glob": "*"},
        {"text": "alpha", "glob": "**/{two}.py"},
        {"text": "alpha", "glob": "**/*", "limit": 2},
        {"text": "beta"},
        {"text": "beta", "ignore_case": True},
        {"text": "a = 2.*"},
        {"text": "-e"},
    ):
        assert sorted(found(guarded, **arguments)) == sorted(found(without_ripgrep, **arguments)), arguments
    assert found(guarded, text="alpha") == [
        (".hidden", 1, "alpha hidden"),
        ("src/one.py", 1, "alpha = 1"),
        ("src/{two}.py", 1, "alpha = 22"),
    ]


def test_expressions_are_for_ripgrep(guarded: Running, without_ripgrep: Running) -> None:
    need_program("rg", "ripgrep")
    assert found(guarded, text=r"^\w+ = \d$", regex=True) == [
        ("src/one.py", 1, "alpha = 1"),
        ("src/one.py", 2, "BETA = 2"),
    ]
    assert call(guarded, "search_files", text="(", regex=True).startswith("bad_request: the expression cannot be read")
    assert call(guarded, "search_files", text="(a+)+$", regex=True)["matches"] is not None  # its time is linear
    assert call(without_ripgrep, "search_files", text="a", regex=True).startswith("ripgrep_unavailable: ")


# Addresses of which nobody can be told anything.
NO_FILES = ("file:///etc/passwd", "workspace:///etc/passwd", "workspace://../outside", "workspace://a%00b", "http://x")


def test_who_listens_is_told_of_changes_whoever_makes_them(guarded: Running, root: Path) -> None:
    (root / "watched one.txt").write_text("1")

    async def listen(session: Client) -> None:
        uris = ["workspace://watched%20one.txt", "workspace://not/yet"]
        async with session.listen(resource_subscriptions=[*uris, *NO_FILES]) as news:
            assert news.honored.resource_subscriptions == uris, "what is acknowledged is told"
            told = aiter(news)
            (root / "watched one.txt").write_text("22")
            assert await asyncio.wait_for(anext(told), 20) == ResourceUpdated(uris[0])
            await session.call_tool("write_file", {"path": "not/yet", "content": "x", "create_dirs": True})
            assert await asyncio.wait_for(anext(told), 20) == ResourceUpdated(uris[1])
            (root / "watched one.txt").unlink()
            assert await asyncio.wait_for(anext(told), 20) == ResourceUpdated(uris[0])

    ask(guarded, listen)


def test_older_clients_are_told_in_their_session(guarded: Running, root: Path) -> None:
    (root / "old.txt").write_text("1")
    headers = begin(guarded)
    told: queue.Queue[str] = queue.Queue()
    open_ = threading.Event()

    def hear() -> None:
        accept = {**headers, "accept": "text/event-stream"}
        with (
            httpx2.Client(base_url=guarded.url, trust_env=False, timeout=30) as http,
            http.stream("GET", "/mcp", headers=accept) as response,
        ):
            open_.set()
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    told.put(line)
                    return

    hearing = threading.Thread(target=hear, daemon=True)
    hearing.start()
    assert open_.wait(20)
    uri = "workspace://old.txt"
    assert "result" in ask_raw(guarded, headers, message("resources/subscribe", 1, uri=uri))
    for none in NO_FILES:
        assert "error" in ask_raw(guarded, headers, message("resources/subscribe", 2, uri=none)), none
    (root / "old.txt").write_text("22")
    news = told.get(timeout=20)
    assert '"method":"notifications/resources/updated"' in news
    assert uri in news
    assert "result" in ask_raw(guarded, headers, message("resources/unsubscribe", 3, uri=uri))
    hearing.join(20)
    lonely = {name: value for name, value in headers.items() if name != "mcp-session-id"}
    answer = ask_raw(guarded, lonely, message("resources/subscribe", 4, uri=uri))
    assert "session" in answer["error"]["message"]
