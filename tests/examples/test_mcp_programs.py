"""MCP Universal as the official client sees it: code, commands, and the tools of other services."""

import asyncio
import json
import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mcp import Client

from tests.examples.mcp_client import TOKEN, ask, call
from tests.examples.running import Running, processes, service, services
from tests.support.eventually import eventually
from tests.support.needed import need
from tests.support.ports import free_port

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need(shutil.which("bwrap"), "bubblewrap", "on Debian and Ubuntu: apt install bubblewrap")
    parent = tmp_path_factory.mktemp("mcp")
    (parent / "secret.txt").write_text("secret")
    (parent / "root").mkdir()
    (parent / "root" / "hello.txt").write_text("hello world\n")
    return parent / "root"


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file in which portsup would say where the services are."""
    path = tmp_path_factory.mktemp("run") / "endpoints.json"
    publish(path, {})
    return path


@pytest.fixture(scope="module")
def guarded(root: Path, endpoints: Path) -> Iterator[Running]:
    own = {"MCP_ROOT": str(root), "MCP_TOKEN": TOKEN, "MCP_COMMANDS": "echo,cat"}
    peers = {"PORTSUP_ENDPOINTS": str(endpoints), "OLLAMA_MCP_TOKEN": TOKEN, "OTHER_TOKEN": TOKEN}
    with service("mcp_universal", **own, **peers) as running:
        yield running


def publish(endpoints: Path, ports: dict[str, int]) -> None:
    entries = {name: {"port": port, "url": f"http://127.0.0.1:{port}"} for name, port in ports.items()}
    endpoints.with_suffix(".new").write_text(json.dumps({"services": entries}))
    endpoints.with_suffix(".new").rename(endpoints)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_code_runs_and_tells_what_it_wrote_so_far(guarded: Running, root: Path, mode: str) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))
        if message:
            (root / "heard").touch()

    (root / "heard").unlink(missing_ok=True)
    code = (
        "import os, time\nprint('one')\nwhile not os.path.exists('heard'): time.sleep(0.02)\n"
        "print('two')\nopen('from-code', 'w').write('x')"
    )
    arguments = {"language": "python", "code": code, "timeout_s": 20}
    result = ask(guarded, lambda session: session.call_tool("run_code", arguments, progress_callback=hear), mode=mode)
    assert result.structured_content is not None
    assert {**result.structured_content, "seconds": 0} == {
        "exit_code": 0,
        "stdout": "one\ntwo\n",
        "stderr": "",
        "truncated": False,
        "timed_out": False,
        "out_of_memory": False,
        "seconds": 0,
    }
    assert {total for _, total, _ in told} == {20}
    # The program waited until this was heard; it writes the word and the end of the line apart.
    assert next(message for _, _, message in told if message).startswith("one")
    assert call(guarded, "read_file", path="from-code")["content"] == "x"


def test_what_may_not_be_run_is_said(guarded: Running) -> None:
    assert call(guarded, "run_command", argv=["echo", "$HOME"])["stdout"] == "$HOME\n"
    assert "command_not_allowed" in call(guarded, "run_command", argv=["sh", "-c", "id"])
    for arguments in (
        {"language": "perl", "code": "1"},
        {"language": "bash", "code": "", "timeout_s": 61},
        {"language": "bash", "code": "", "timeout_s": 0},
        {"language": "bash", "code": "x" * (1024 * 1024 + 1)},
    ):
        assert "validation error" in call(guarded, "run_code", **arguments)
    assert "validation error" in call(guarded, "run_command", argv=[])


def test_a_fork_bomb_and_a_flood_leave_the_service_alive(guarded: Running) -> None:
    bomb = call(guarded, "run_code", language="bash", code=":(){ :|:& };:; sleep 20", timeout_s=1)
    assert bomb["timed_out"] or "Resource temporarily unavailable" in bomb["stderr"], bomb  # `wait` may be over at once
    assert call(guarded, "run_code", language="bash", code="yes", timeout_s=20)["truncated"] is True
    assert guarded.http.get("/health").json()["status"] == "ok"
    assert call(guarded, "run_code", language="bash", code="echo fine")["stdout"] == "fine\n"


def test_code_in_the_sandbox_does_not_reach_the_service(guarded: Running) -> None:
    code = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{guarded.port}/health', timeout=5)"
    outcome = call(guarded, "run_code", language="python", code=code)
    assert outcome["exit_code"] == 1
    assert "Connection refused" in outcome["stderr"]


def test_a_link_that_code_made_is_no_way_out_for_the_file_tools(guarded: Running, root: Path) -> None:
    code = "ln -s ../secret.txt way-out; ln -s / all; ln -s .. up"
    assert call(guarded, "run_code", language="bash", code=code)["exit_code"] == 0
    for path in ("way-out", "all/etc/passwd", "up/secret.txt"):
        assert "outside_root" in call(guarded, "read_file", path=path)
        assert "outside_root" in call(guarded, "write_file", path=path, content="x")
    assert call(guarded, "search_files", text="secret")["matches"] == []
    assert (root.parent / "secret.txt").read_text() == "secret"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_client_that_gives_up_ends_the_program(guarded: Running, mode: str) -> None:
    unique = f"60.{secrets.randbelow(10**9):09}"

    async def give_up(session: Client) -> None:
        begun = asyncio.Event()

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            begun.set()

        arguments = {"language": "bash", "code": f"echo go; exec sleep {unique}", "timeout_s": 60}
        task = asyncio.create_task(session.call_tool("run_code", arguments, progress_callback=hear))
        await asyncio.wait_for(begun.wait(), 20)
        assert processes(unique)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    ask(guarded, give_up, mode=mode)
    eventually(lambda: not processes(unique), what="the program's end")


def test_sigterm_ends_a_program_that_runs(root: Path) -> None:
    unique = f"60.{secrets.randbelow(10**9):09}"
    with service("mcp_universal", MCP_ROOT=str(root), MCP_TOKEN=TOKEN) as running, ThreadPoolExecutor() as pool:
        calling = pool.submit(call, running, "run_code", language="bash", code=f"exec sleep {unique}")
        eventually(lambda: processes(unique), within=30, what="the program")
        assert running.terminate() == 0
        eventually(lambda: not processes(unique), what="the program's end")
        assert "Traceback" not in running.output()
        calling.exception(timeout=30)


def test_where_the_system_allows_no_sandbox_only_running_is_off(root: Path) -> None:
    need(shutil.which("bwrap"), "bubblewrap", "on Debian and Ubuntu: apt install bubblewrap")
    # As in a container: namespaces of one's own are forbidden.
    within = (
        "bwrap",
        "--die-with-parent",
        "--dev-bind",
        "/",
        "/",
        "--unshare-user",
        "--disable-userns",
        "--cap-drop",
        "ALL",
        "--",
    )
    with service("mcp_universal", within=within, MCP_ROOT=str(root), MCP_TOKEN=TOKEN) as running:
        report = running.http.get("/health").json()
        assert (report["status"], report["checks"]) == ("degraded", {"root": "ok", "sandbox": "sandbox_unavailable"})
        assert running.http.get("/health/ready").status_code == 200
        words = call(running, "run_code", language="bash", code="true")
        assert "sandbox_unavailable: bubblewrap does not work here: " in words
        assert call(running, "read_file", path="hello.txt")["content"] == "hello world\n"


def test_other_services_are_called_where_they_are_just_then(guarded: Running, endpoints: Path) -> None:
    peers = {"ollama_mcp": {"PORTSUP_EXAMPLE_TOKEN": TOKEN, "OLLAMA_BASE_URL": f"http://127.0.0.1:{free_port()}"}}
    assert "unknown_service" in call(guarded, "call_service", service="ollama-mcp", tool="list_models")
    publish(endpoints, {"ollama-mcp": free_port()})
    assert "upstream_unreachable" in call(guarded, "call_service", service="ollama-mcp", tool="list_models")
    with services(peers, ("ollama_mcp", "groq_api")) as started:
        publish(endpoints, {name.replace("_", "-"): running.port for name, running in started.items()})
        # The peer takes the token, runs its tool, and says itself why it cannot.
        words = call(guarded, "call_service", service="ollama-mcp", tool="embed", arguments={"input": ["a"]})
        assert "tool_failed: ollama-mcp: no_backend" in words
        assert "tool_failed" in call(guarded, "call_service", service="ollama-mcp", tool="no_such_tool")
        assert "upstream_failed" in call(guarded, "call_service", service="groq-api", tool="chat")
    assert "unknown_service" in call(guarded, "call_service", service="mcp-universal", tool="list_files")


def test_a_client_that_stays_open_outlives_no_service(guarded: Running, endpoints: Path) -> None:
    """Calls one after the other and side by side, then of a service that is gone, and of the one in its place."""
    variables = {"PORTSUP_EXAMPLE_TOKEN": TOKEN, "OLLAMA_BASE_URL": f"http://127.0.0.1:{free_port()}"}
    asked = {"service": "ollama-mcp", "tool": "embed", "arguments": {"input": ["a"]}}

    async def six(one: Client) -> list[str]:
        results = await asyncio.gather(*(one.call_tool("call_service", asked) for _ in range(6)))
        return [str(result.content[0]) for result in results]

    with service("ollama_mcp", **variables) as first:
        publish(endpoints, {"ollama-mcp": first.port})
        for _ in range(2):
            assert "tool_failed: ollama-mcp: no_backend" in call(guarded, "call_service", **asked)
        assert all("no_backend" in words for words in ask(guarded, six))
    for _ in range(6):  # each of those that were kept
        assert "upstream_unreachable" in call(guarded, "call_service", **asked)
    with service("ollama_mcp", **variables) as second:
        publish(endpoints, {"ollama-mcp": second.port})
        assert all("no_backend" in words for words in ask(guarded, six))


def test_the_answer_and_progress_of_another_service_come_back(guarded: Running, root: Path, endpoints: Path) -> None:
    told: list[str | None] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)
        if message:
            (root / "heard").touch()

    (root / "heard").unlink(missing_ok=True)
    publish(endpoints, {"other": guarded.port})  # it is itself the other one
    arguments = {"language": "bash", "code": "echo there; until [ -e heard ]; do sleep 0.02; done"}
    forwarded = {"service": "other", "tool": "run_code", "arguments": arguments}
    result = ask(guarded, lambda one: one.call_tool("call_service", forwarded, progress_callback=hear))
    answer = result.structured_content
    assert answer is not None
    assert (answer["service"], answer["tool"], answer["structured"]["stdout"]) == ("other", "run_code", "there\n")
    assert "there\n" in told


def test_it_does_not_lend_its_token_to_everybody(guarded: Running, root: Path) -> None:
    with service("mcp_universal", MCP_ROOT=str(root), OTHER_URL=guarded.url, OTHER_TOKEN=TOKEN) as running:
        assert "auth_required" in call(running, "call_service", service="other", tool="list_files")
