"""Which Caddy is run."""

from pathlib import Path

import pytest

from supervisor.api.name_proxy import usable_caddy
from supervisor.errors import PortsupError

pytestmark = pytest.mark.live  # runs programs


@pytest.mark.parametrize("told", [r"\377\376v2.9", "v" + "9" * 5000 + ".1", "nothing", "v1.0", r"v2.1\033[31m"])
def test_a_program_that_tells_nonsense_of_its_version_is_none_that_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    program = tmp_path / "caddy"
    program.write_text(f"#!/bin/sh\nprintf '{told}\\n'\n")
    program.chmod(0o755)
    monkeypatch.setattr("supervisor.config.caddy.found", lambda: [str(program)])
    with pytest.raises(PortsupError) as refused:
        usable_caddy()
    assert "\x1b" not in str(refused.value)


def test_one_that_is_new_enough_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = []
    for name, version in (("old", "v2.5.1 h1:x"), ("new", "2.11.2 \\377"), ("newer", "v3.0.0")):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\nprintf '{version}\\n'\n")
        program.chmod(0o755)
        paths.append(str(program))
    monkeypatch.setattr("supervisor.config.caddy.found", lambda: paths)
    assert usable_caddy() == paths[1]
