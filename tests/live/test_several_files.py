"""Several files: which are read, whose instance it is, and how they change while it runs."""

import json
import os

import pytest

from tests.live.conftest import Make
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


def test_files_are_laid_over_each_other_and_changed_while_the_stack_runs(stack: Make) -> None:
    pools = free_pool(3), free_pool(3)
    live = stack({"web": {"command": program("listens"), "pool": list(pools[0])}})
    folder = live.folder
    override, dev = folder / "services.override.yaml", folder / "dev.yaml"
    override.write_text(json.dumps({"services": {"web": {"environment": {"MODE": "mine"}}}}))
    dev.write_text(json.dumps({"services": {"web": {"pool": list(pools[1]), "environment": {"MODE": "dev"}}}}))
    with live.foreground() as up:
        up.says("is up")
        assert "MODE=mine" in live.run("env", "web").stdout
        assert "this is `services.yaml` with `services.override.yaml`" in up.err
        assert live.run("-f", "services.yaml", "status").returncode == 0, "it belongs to its first file"
        other = live.run("-f", "services.override.yaml", "status")
        assert (other.returncode, "an instance belongs to the first of its files" in other.stderr) == (4, True)
        (listed,) = map(json.loads, live.run("ls", "--format", "json").stdout.splitlines())
        assert [os.path.basename(path) for path in listed["over"]] == [override.name]

        override.write_text(json.dumps({"services": {"web": {"environment": {"MODE": "new"}}}}))
        assert "services.override.yaml has changed since it was read" in live.run("status").stderr
        assert live.run("reload").stdout.splitlines()[0] == "changed  web: environment (restarts)"
        assert "MODE=new" in live.run("env", "web").stdout

        swapped = live.run("-f", "dev.yaml", "-f", "services.yaml", "reload")
        assert (swapped.returncode, "none runs from `dev.yaml`" in swapped.stderr) == (4, True)
        done = live.run("-f", "services.yaml", "-f", "dev.yaml", "reload")
        assert (done.returncode, "changed  files" in done.stdout.splitlines()) == (0, True), done.stderr
        assert live.rows()["web"]["port"] == pools[1][0]
        (listed,) = map(json.loads, live.run("ls", "--format", "json").stdout.splitlines())
        assert [os.path.basename(path) for path in listed["over"]] == ["dev.yaml"]
        override.unlink()  # it is no part of the stack any more
        dev.write_text("services: [")
        broken = live.run("reload")
        assert (broken.returncode, "dev.yaml:2:1:" in broken.stderr) == (2, True)
        assert live.rows()["web"]["state"] == "running"


def test_the_files_of_the_variable_are_those_of_every_command(stack: Make) -> None:
    live = stack({"web": {"command": program("listens"), "pool": list(free_pool(3))}})
    (live.folder / "more.yaml").write_text(json.dumps({"services": {"job": {"command": ["sleep", "60"]}}}))
    live.env["PORTSUP_FILE"] = os.pathsep.join(("services.yaml", "more.yaml"))
    assert live.run("config", "show", "--services").stdout.split() == ["web", "job"]
    assert live.run("-f", "services.yaml", "config", "show", "--services").stdout.split() == ["web"]
    assert live.run("up", "--dry-run").stdout.count("no ports") == 1
    twice = live.run("-f", "services.yaml", "-f", "./services.yaml", "up")
    assert (twice.returncode, "it is named twice" in twice.stderr) == (2, True)
