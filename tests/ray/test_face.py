"""What a command makes of a cluster that does not do what it should."""

from typing import Any

import pytest

from supervisor.errors import PortsupError

engine = pytest.importorskip("supervisor.cluster.engine", reason="Ray is not installed: `make test-ray` installs it")


def test_a_registry_that_does_not_start_is_told_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    from supervisor.cluster.face import Cluster

    ended: list[str] = []

    def silent(*_: Any, **__: Any) -> None:
        raise engine.Unreachable("The actor died:\n  File x\nModuleNotFoundError: No module named 'supervisor'\n")

    monkeypatch.setattr(engine, "make_registry", lambda *_: "registry")
    monkeypatch.setattr(engine, "ask", silent)
    monkeypatch.setattr(engine, "end", ended.append)
    with pytest.raises(PortsupError, match="No module named 'supervisor'") as caught:
        Cluster.make({"stack": "shop", "instance": 1, "order": []})
    assert "on every node" in caught.value.hint
    assert ended == ["registry"]
