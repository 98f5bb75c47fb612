"""Processes that leave their service's session, stack in a stack included: they end as gently as it does."""

from pathlib import Path

import pytest
import yaml

from tests.live.stack import SLEEPS, Live

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
