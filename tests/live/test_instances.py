"""Several copies of one stack beside one another: numbers, ports, and how many fit."""

import os
import shutil
import signal
import subprocess

import pytest

from tests.live.conftest import Make
from tests.live.stack import STUBBORN, Live, answer_of, is_free
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

SLEEPER = {"command": ["sleep", "1000"], "ready": "started"}


def pools_of(size: int, instances: int) -> tuple[int, int]:
    """The first ports of two pools so laid out that exactly so many instances of stride `size` fit."""
    ports = free_pool(size * (instances + 1))
    return ports[0], ports[size * instances]


def two_at_once(live: Live) -> list[int]:
    """Starts the stack twice in the same instant; the exit codes."""
    starts = [live.popen("up", "-d", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
    return [start.wait(20) for start in starts]


def test_a_second_up_is_instance_2_with_every_port_moved_and_names_the_first(stack: Make) -> None:
    first, *_ = ports = free_pool(110)
    second = first + 100
    live = stack({"web": {"command": program("listens"), "pool": list(ports[:3])}})
    with live.up():
        with live.foreground() as up:
            up.says("is up")
            one, two = live.infos()
            assert (one.instance, two.instance) == (1, 2)
            assert "this is instance 2 of stack `t`: every port is moved by 100" in up.err
            assert f"instance 1 runs already, from {live.folder} (pid {one.pid})" in up.err
            assert "`portsup --instance 1 " in up.err
            row = live.rows(2)["web"]
            assert (row["port"], row["instance"]) == (second, 2)
            assert [entry["port"] for entry in row["pool"]] == [second, second + 1, second + 2]
            assert answer_of(second) == str(row["pid"])
            assert live.rows(1)["web"]["port"] == first
            done = live.run("status")
            assert done.returncode == 4, "two run from here: which one?"
            assert "--instance 2" in done.stderr
            assert str(second) in live.run("--instance", "2", "port", "web").stdout
            assert live.run("--instance", "2", "down").returncode == 0
            assert up.ends() == 0
        eventually(lambda: is_free(second), within=2)
        assert live.rows(1)["web"]["state"] == "running", "the other one goes on"


def test_a_copy_in_another_folder_is_another_instance_and_each_folder_means_its_own(stack: Make) -> None:
    base, _ = pools_of(3, 2)
    services = {"web": {"command": program("listens"), "pool": [base, base + 1, base + 2]}}
    one = stack(services, folder="one", instances={"stride": 3})
    two = stack(services, folder="two", instances={"stride": 3})
    with one.up():
        assert two.run("up", "-d").returncode == 0
        assert one.run("port", "web").stdout.strip() == str(base)
        assert two.run("port", "web").stdout.strip() == str(base + 3)
        assert two.run("down").returncode == 0
        assert [info.instance for info in one.infos()] == [1]


def test_a_folder_keeps_its_number_whoever_starts_first(stack: Make) -> None:
    base, _ = pools_of(1, 4)
    services = {"web": {**SLEEPER, "pool": [base]}}
    one, two, three = (stack(services, folder=name, instances={"stride": 1}) for name in ("one", "two", "three"))

    def number_of(live: Live, *words: str) -> int:
        assert live.run(*words, "up", "-d").returncode == 0
        (info,) = (info for info in live.infos() if info.directory == str(live.folder))
        return info.instance

    assert [number_of(live) for live in (one, two)] == [1, 2]
    for live in (one, two):
        assert live.run("down").returncode == 0
    assert number_of(two) == 2, "although nobody has 1"
    assert "instance 1 of `t`" in one.run("doctor", "--all").stdout
    told = [line.split() for line in one.run("ls", "--all").stdout.splitlines()[1:]]
    assert [line[:3] for line in told] == [["t", "1", "-"], ["t", "2", str(two.daemon())]]
    assert number_of(three) == 3, "1 is that of a folder which is there"
    assert three.run("down").returncode == 0
    shutil.rmtree(one.folder)
    assert "number 1 of `t`, of a deleted directory" in two.run("prune", "--dry-run").stdout
    assert number_of(three, "--instance", "1") == 1
    assert three.run("down").returncode == 0
    assert number_of(three) == 1, "it was insisted on"


def test_a_number_that_is_given_back_is_taken_again_lowest_first(stack: Make) -> None:
    base, _ = pools_of(1, 4)
    live = stack({"web": {**SLEEPER, "pool": [base]}}, instances={"stride": 1})
    for _ in range(3):
        assert live.run("up", "-d").returncode == 0
    assert live.run("--instance", "2", "down").returncode == 0
    assert live.run("up", "-d").returncode == 0
    assert [info.instance for info in live.infos()] == [1, 2, 3]


def test_up_after_down_is_instance_1_again_however_soon(stack: Make) -> None:
    base, _ = pools_of(1, 3)
    live = stack({"web": {**SLEEPER, "pool": [base]}}, instances={"stride": 1})
    for _ in range(5):
        assert live.run("up", "-d").returncode == 0
        assert [info.instance for info in live.infos()] == [1]
        assert live.run("down").returncode == 0
        assert live.infos() == []


def test_a_given_number_is_insisted_on(stack: Make) -> None:
    base, _ = pools_of(1, 3)
    live = stack({"web": {**SLEEPER, "pool": [base]}}, instances={"stride": 1})
    assert live.run("--instance", "3", "up", "-d").returncode == 0
    assert live.rows(3)["web"]["port"] == base + 2
    done = live.run("--instance", "3", "up", "-d")
    assert done.returncode == 14, done.stderr
    assert f"pid {live.infos()[0].pid}" in done.stderr


def test_ten_instances_run_and_the_eleventh_says_why_not(stack: Make) -> None:
    base, limit = pools_of(2, 10)
    live = stack(
        {"web": {**SLEEPER, "pool": [base, base + 1]}, "api": {**SLEEPER, "pool": [limit]}}, instances={"stride": 2}
    )
    for _ in range(5):
        assert two_at_once(live) == [0, 0]
    assert [info.instance for info in live.infos()] == list(range(1, 11))
    for words in (["up"], ["up", "-d"], ["--instance", "11", "up"]):
        done = live.run(*words)
        assert done.returncode == 14, done.stderr
        assert f"pool {limit}-{limit + 1} of `web` in instance 11" in done.stderr
        assert f"takes ports of `api` ({limit}) in instance 1: ten instances fit" in done.stderr
    assert len(live.infos()) == 10


@pytest.mark.parametrize("round", [0, *(pytest.param(each, marks=pytest.mark.long) for each in (1, 2))])
def test_starts_in_the_same_instant_get_different_instances(stack: Make, round: int) -> None:
    base, _ = pools_of(1, 12)
    live = stack({"web": {**SLEEPER, "pool": [base]}}, instances={"stride": 1})
    for pairs in range(1, 6):
        assert two_at_once(live) == [0, 0]
        assert [info.instance for info in live.infos()] == list(range(1, 2 * pairs + 1))
        ports = [live.rows(info.instance)["web"]["port"] for info in live.infos()]
        assert ports == list(range(base, base + 2 * pairs))


def test_up_waits_for_an_instance_that_is_stopping_and_takes_its_number(stack: Make) -> None:
    live = stack({"web": {**SLEEPER, **STUBBORN, "pool": list(free_pool(2)), "stop_grace_period": "1000s"}})
    with live.up():
        before, pid = live.daemon(), live.rows()["web"]["pid"]
        down = live.popen("down", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: live.rows()["web"]["state"] == "terminating", within=10)
        again = live.popen("up", "-d")
        assert again.stderr is not None
        while f"waiting for instance 1 (pid {before}), which is stopping" not in (line := again.stderr.readline()):
            assert line, "it waits for nobody"
        os.kill(pid, signal.SIGKILL)
        assert again.wait(20) == 0
        assert down.wait(20) == 0
        assert [info.instance for info in live.infos()] == [1]
        assert live.daemon() != before
