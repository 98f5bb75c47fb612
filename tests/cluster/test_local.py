"""The `portsup up` of one service on a node, ended by its keeper at any moment."""

import os
import sys
from pathlib import Path

import pytest

from supervisor.cluster.clock import now
from supervisor.cluster.local import Local
from supervisor.cluster.plan import plan
from supervisor.config.load import load
from tests.support.eventually import eventually

pytestmark = pytest.mark.live


@pytest.mark.parametrize("is_heard", [False, True])
def test_a_service_that_has_only_just_begun_is_stopped(
    is_heard: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody hears the order before the daemon has its socket, and it must not get lost."""
    text = f"name: shop\nservices: {{a: {{command: ['{sys.executable}', -c, 'import time; time.sleep(600)']}}}}"
    (tmp_path / "services.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    local = Local(plan(load(tmp_path / "services.yaml", {}, ephemeral=()), 1, ["a"], "1.0"), "a")
    local.begin(1, "", [os.getpid(), os.getppid()])
    local.allow(now() + 100, now() + 100)
    if is_heard:
        eventually(lambda: local.row is not None, within=60, what="the service")
    local.down(0.0)
    assert local.is_over
    assert local.code == 0
