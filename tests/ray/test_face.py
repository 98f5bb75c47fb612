"""What a command makes of a cluster that does not do what it should."""

from typing import Any

import pytest

from supervisor.errors import PortsupError
from tests.support.ports import free_pool

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


@pytest.mark.live
@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "ray://127.0.0.1:{port}", "[::1]:{port}"])
def test_where_nobody_listens_is_told_at_once(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray itself tries again for minutes."""
    monkeypatch.setattr(engine.ray, "init", lambda **_: pytest.fail("Ray was asked"))
    asked = address.format(port=free_pool()[0])
    with pytest.raises(PortsupError, match="connection refused") as caught:
        engine.connect(asked)
    assert f"`{asked}`" in str(caught.value)


@pytest.mark.parametrize("host", ["head..example", "x" * 64, "head\udcff"])
def test_what_is_no_name_of_a_machine_is_told(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.ray, "init", lambda **_: pytest.fail("Ray was asked"))
    with pytest.raises(PortsupError, match="no name of a machine"):
        engine.connect(f"ray://{host}:10001")


def test_a_port_in_digits_of_others_is_left_to_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(engine.ray, "init", lambda **given: asked.append(given["address"]))
    engine.connect("ray://127.0.0.1:²")
    assert asked == ["ray://127.0.0.1:²"]
