"""A mistake in portsup itself, within a request that changes something: one service has the harm, or none."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.stack import SLEEPS, Live
from tests.support.ports import free_pool
from tests.support.running import PROGRAMS, program

pytestmark = pytest.mark.live

NEVER = {"restart": "never"}
BUG = "internal error of portsup: KeyError: "


class Broken(Live):
    """A project whose `portsup` has a mistake as long as somebody says where."""

    def __init__(self, folder: Path) -> None:
        port, *spare = free_pool(2)
        web: dict[str, Any] = {"command": program("listens"), "pool": [port, *spare], "handoff": "auto", **NEVER}
        self.services: dict[str, dict[str, Any]] = {"web": web, "job": {**SLEEPS, **NEVER}, "other": SLEEPS}
        super().__init__(folder / "p", self.services)
        self.runtime, self.state = folder / "r", folder / "s"
        self.env.update(PORTSUP_RUNTIME_DIR=str(self.runtime), PORTSUP_STATE_DIR=str(self.state))
        self.at = folder / "breaks-at"
        self.env["BREAKS_AT"] = str(self.at)
        self.mend()

    def command(self, *words: str) -> list[str]:
        python, _, _, *others = super().command(*words)
        return [python, str(PROGRAMS / "breaks_changes.py"), *others]

    def fail(self, where: str) -> None:
        """There is a mistake from now on."""
        self.at.write_text(where)

    def mend(self) -> None:
        """There is none any more."""
        self.at.write_text("")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    it = Broken(tmp_path_factory.mktemp("broken"))
    with it.up():
        yield it


@pytest.fixture(autouse=True)
def the_others_go_on(stack: Broken) -> Iterator[None]:
    """Each test ends with the same processes of all other services, and nothing is left that is wrong."""
    for name in ("web", "job", "other"):
        if stack.rows()[name]["state"] != "running":
            assert stack.do("start", name)[name]["ok"]
    before = stack.rows()["other"]["pid"]
    yield
    stack.mend()
    other = stack.rows()["other"]
    assert (other["state"], other["pid"]) == ("running", before)
    assert stack.run("status").returncode in (0, 3)


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("restart", "job"), "spawn"),
        (("restart", "job"), "restart"),
        (("restart", "--rolling", "job"), "spawn"),
        (("kill", "job"), "signal"),
        (("scale", "job=2"), "scale"),
        (("scale", "job=2"), "spawn"),
    ],
)
def test_whoever_asks_for_a_change_gets_the_mistake_and_may_ask_again(
    stack: Broken, words: tuple[str, ...], where: str
) -> None:
    stack.fail(where)
    done = stack.run(*words)
    said = done.stdout + done.stderr
    is_told = BUG in said or "did not become ready" in said
    assert (done.returncode, is_told) == (70, True), done
    mistake = stack.journal("mistake in portsup")[-1]
    assert (mistake["error"], mistake["level"]) == (f"KeyError('{where}')", "error")
    assert mistake["where"].startswith("breaks_changes.py:"), mistake
    stack.mend()
    if words[0] == "scale" and where == "spawn":  # there are two, one of which did not start
        assert stack.run("scale", "job=1").returncode == 0
    assert stack.run(*words).returncode == 0
    assert stack.until("job", state="running" if words[0] != "kill" else "failed")
    if words[0] == "scale":
        assert stack.run("scale", "job=1").returncode == 0


def test_a_start_that_meets_a_mistake_says_so_with_the_place_and_what_to_do(stack: Broken) -> None:
    stack.do("stop", "job")
    stack.fail("spawn")
    done = stack.run("start", "job")
    assert done.returncode == 70
    assert f"{BUG}'spawn', in breaks_changes.py:" in done.stderr
    assert "portsup events -n all" in done.stderr
    row = stack.rows()["job"]
    assert (row["state"], row["result"], row["pid"]) == ("failed", "internal-error", None)
    assert stack.run("start", "job").returncode == 70
    stack.mend()
    assert stack.run("start", "job").returncode == 0


@pytest.mark.parametrize("where", ["terminate", "see off"])
def test_a_service_whose_stop_meets_a_mistake_is_killed(stack: Broken, where: str) -> None:
    stack.fail(where)
    assert stack.run("stop", "job").returncode == 0
    row = stack.rows()["job"]
    assert (row["state"], row["pid"]) == ("stopped", None)
    stack.mend()
    assert stack.run("start", "job").returncode == 0


@pytest.mark.parametrize("where", ["exit", "leftovers"])
def test_a_process_whose_end_meets_a_mistake_is_gone_all_the_same(stack: Broken, where: str) -> None:
    pid = stack.rows()["job"]["pid"]
    stack.fail(where)
    os.kill(pid, signal.SIGKILL)
    if where == "leftovers":  # at each look: until somebody mends it, it is not known to be gone
        stack.until("job", state="killing")
        stack.mend()
    row = stack.until("job", state="failed")
    assert row["result"] == "internal-error", row
    stack.mend()
    assert stack.run("start", "job").returncode == 0


def test_a_search_for_a_port_that_meets_a_mistake_is_tried_again_and_keeps_the_port(stack: Broken) -> None:
    port = stack.rows()["web"]["port"]
    assert stack.do("stop", "web")["web"]["ok"]
    stack.fail("lease")
    done = stack.run("start", "web")
    assert (done.returncode != 0, BUG in done.stderr) == (True, True), done
    stack.mend()
    assert stack.run("start", "web").returncode == 0
    assert stack.until("web", state="running")["port"] == port


def test_a_bind_that_meets_a_mistake_costs_that_process(stack: Broken) -> None:
    if stack.rows()["web"]["handoff"] not in ("bpf", "sysctl", "swap"):
        pytest.skip("there is no handoff here")
    stack.fail("bind")
    done = stack.run("restart", "web")
    assert (done.returncode, BUG in done.stderr) == (70, True), done
    stack.mend()
    assert stack.run("start", "web").returncode == 0
    assert stack.until("web", state="running")["pid"]


def test_a_reload_that_meets_a_mistake_midway_is_done_by_the_next_one(stack: Broken) -> None:
    job = {**stack.services["job"], "environment": {"NEW": "1"}}
    stack.fail("reload")
    stack.write({**stack.services, "job": job, "more": SLEEPS})
    done = stack.run("reload")
    assert (done.returncode, f"{BUG}'reload'" in done.stderr) == (70, True), done
    assert "portsup reload" in stack.run("status").stderr
    before = stack.rows()["job"]["pid"]
    stack.mend()
    assert stack.run("reload").returncode == 0
    assert stack.until("job", state="running")["pid"] != before
    assert "portsup reload" not in stack.run("status").stderr
    assert stack.run("start", "more").returncode == 0
    stack.write(stack.services)
    assert stack.run("reload").returncode == 0
