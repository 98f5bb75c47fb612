"""Processes that leave their service's session, stack in a stack included: they end as gently as it does."""

import os
import signal
from pathlib import Path

import pytest
import yaml

from tests.live.conftest import Make, in_both_ways
from tests.live.stack import SLEEPS, Live, answer_of
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


def test_a_process_that_left_the_session_is_asked_to_end_too_and_not_waited_out(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    outside = f"trap 'echo asked > {ended}; exit' TERM; echo ready; while :; do sleep 0.05; done"
    leaves = {"command": ["bash", "-c", f'setsid bash -c "{outside}" & exec sleep 1000'], "ready": {"log": "ready"}}
    stack = Live(tmp_path, {"web": {**leaves, "stop_grace_period": "1000s"}})
    with stack.up():
        assert stack.run("stop", "web").returncode == 0
        assert ended.read_text() == "asked\n"


def test_a_detached_stack_in_a_service_ends_with_it_and_leaves_nothing(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "services.yaml").write_text(yaml.safe_dump({"name": "inner", "services": {"web": SLEEPS}}))
    stack = Live(tmp_path / "outer", {})
    portsup = " ".join(stack.command("up", "-d"))
    starts = {"command": ["bash", "-c", f"{portsup} && echo UP && exec sleep 1000"], "working_dir": str(inner)}
    stack.write({"nest": {**starts, "ready": {"log": "UP"}, "stop_grace_period": "1000s"}})
    with stack.up():
        assert {info.stack for info in stack.infos()} == {"t", "inner"}
        assert stack.run("down").returncode == 0
        assert stack.infos() == []
    stack.leaves_nothing()
    assert "instance ended" in (stack.state / "inner-1" / "portsup.log").read_text()


@in_both_ways
def test_a_program_whose_main_thread_ends_is_a_service_like_any_other(stack: Make) -> None:
    """By its state it is a zombie, while another thread serves; it ignores SIGTERM."""
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("first_thread_ends"), "pool": [port], "stop_grace_period": "0.2s"}})
    with live.up():
        first = live.until("web", state="running", port=port)["pid"]
        assert answer_of(port) == str(first)
        assert live.do("restart", "web")["web"]["ok"]
        second = live.until("web", state="running")["pid"]
        assert answer_of(port) == str(second) != str(first)
        os.kill(second, signal.SIGKILL)
        third = live.until("web", state="running", restarts=1, port=port)["pid"]
        assert live.do("stop", "web")["web"]["ok"]
        eventually(lambda: not Path(f"/proc/{third}").exists())
    live.leaves_nothing(port)


@in_both_ways
def test_a_thread_with_descriptors_of_its_own_is_found_to_listen(stack: Make) -> None:
    """No other thread of the process has the socket, so the process seems not to have it."""
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("binds_oddly", "thread-alone"), "pool": [port]}})
    with live.up():
        os.kill(live.until("web", state="running", port=port)["pid"], signal.SIGKILL)
        live.until("web", state="running", restarts=1, port=port)
        assert live.journal("service is ended") == []
    live.leaves_nothing(port)
