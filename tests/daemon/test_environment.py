"""What a service is told: by its environment, its arguments and the endpoints file."""

import os
import sys
from collections import ChainMap
from collections.abc import Mapping
from pathlib import Path

import pytest

from supervisor.config.spec import ServiceSpec
from supervisor.daemon.service.environment import environment_of, filled, room_taken, that_fits, with_more
from supervisor.daemon.stack.endpoints import Endpoint, document, variable, variables

ENDPOINTS = {"web": Endpoint(8001, (8000, 8001)), "my-db.1": Endpoint(9000, (9000,))}
FACTS = {"PORTSUP_RUN_ID": "r", "PORTSUP_INSTANCE": "2"}


def told(spec: ServiceSpec, port: int | None = 8001, **inherited: str) -> Mapping[str, str]:
    return environment_of(spec, port, ENDPOINTS, FACTS, 2, inherited, variables(ENDPOINTS))


def test_every_service_is_a_variable_of_letters_digits_and_underscores() -> None:
    assert variable("my-db.1", "PORT") == "PORTSUP_MY_DB_1_PORT"
    assert variables(ENDPOINTS) == {
        "PORTSUP_WEB_PORT": "8001", "PORTSUP_WEB_URL": "http://127.0.0.1:8001",
        "PORTSUP_MY_DB_1_PORT": "9000", "PORTSUP_MY_DB_1_URL": "http://127.0.0.1:9000",
    }  # fmt: skip


def test_the_endpoints_file_has_the_address_and_the_pool_of_each() -> None:
    assert document("t", 2, ENDPOINTS)["services"]["web"] == {
        "port": 8001, "host": "127.0.0.1", "url": "http://127.0.0.1:8001", "pool": [8000, 8001],
    }  # fmt: skip


def test_the_port_comes_in_the_variable_that_the_service_reads_and_wins_over_everything() -> None:
    spec = ServiceSpec("web", ("x",), (8000, 8001), port_env="WEB_PORT", environment={"WEB_PORT": "1", "A": "{port}"})
    result = told(spec, WEB_PORT="2")
    assert (result["WEB_PORT"], result["A"], result["HOST"]) == ("8001", "8001", "127.0.0.1")
    assert "PORT" not in result
    assert (result["PORTSUP_SERVICE"], result["PORTSUP_INSTANCE"]) == ("web", "2")
    assert result["PORTSUP_MY_DB_1_PORT"] == "9000"


def test_a_job_without_ports_keeps_the_port_variable_of_its_own() -> None:
    assert told(ServiceSpec("job", ("x",), ()), None, PORT="5")["PORT"] == "5"


def test_what_another_portsup_told_us_is_not_passed_on() -> None:
    """`portsup up` within a service of another stack."""
    result = told(ServiceSpec("web", ("x",), (8000,)), PORTSUP_RUN_ID="outer", PORTSUP_OTHER_PORT="1", KEPT="1")
    assert (result["PORTSUP_RUN_ID"], result["KEPT"]) == ("r", "1")
    assert "PORTSUP_OTHER_PORT" not in result


def test_python_does_not_buffer_unless_asked_to() -> None:
    spec = ServiceSpec("web", ("x",), (8000,))
    assert told(spec)["PYTHONUNBUFFERED"] == "1"
    assert told(spec, PYTHONUNBUFFERED="")["PYTHONUNBUFFERED"] == ""


@pytest.mark.parametrize("mark", ["pipx_metadata.json", "uv-receipt.toml"])
def test_the_programs_beside_portsup_are_found_unless_it_is_a_tool_of_its_own(
    mark: str, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(own_folders))
    monkeypatch.setattr(sys, "executable", str(own_folders / "bin" / "python"))
    spec = ServiceSpec("web", ("x",), (8000,))
    assert told(spec, PATH="/bin")["PATH"] == f"{own_folders}/bin{os.pathsep}/bin"
    (own_folders / mark).touch()
    assert told(spec, PATH="/bin")["PATH"] == "/bin"


def test_an_environment_that_was_activated_comes_before_that_of_portsup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, active = tmp_path / "ours/bin", tmp_path / "active/bin"
    for folder in (ours, active):
        folder.mkdir(parents=True)
        (folder.parent / "pyvenv.cfg").touch()
    monkeypatch.setattr(sys, "prefix", str(ours.parent))
    monkeypatch.setattr(sys, "executable", str(ours / "python"))
    spec = ServiceSpec("web", ("x",), (8000,))
    for before, after in (
        (f"{active}:/bin", f"{active}:/bin:{ours}"),
        (f"{active}:{ours}:/bin", f"{active}:{ours}:/bin"),
        ("/bin::relative", f"{ours}:/bin::relative"),
    ):
        assert told(spec, PATH=before)["PATH"] == after


def test_placeholders_are_filled_and_other_braces_stay() -> None:
    assert filled("--bind {host}:{port} {instance}", 8001, 2, ENDPOINTS) == "--bind 127.0.0.1:8001 2"
    assert filled("{url:web} {port:my-db.1}", None, 2, ENDPOINTS) == "http://127.0.0.1:8001 9000"
    assert filled('{"json": ${x} {{port}} {other}}', 1, 1, {}) == '{"json": ${x} {port} {other}}'


def test_what_all_services_have_is_held_once_and_is_not_for_a_service_to_change() -> None:
    spec = ServiceSpec("web", ("x",), (8000,), environment={"PORTSUP_WEB_PORT": "its own", "OWN": "1"})
    of_all = variables(ENDPOINTS)
    environment = environment_of(spec, 8000, ENDPOINTS, FACTS, 2, {"HOME": "/"}, of_all)
    own, shared = environment.maps
    assert shared is of_all
    assert own.keys().isdisjoint(of_all)
    assert (environment["PORTSUP_WEB_PORT"], environment["OWN"]) == (of_all["PORTSUP_WEB_PORT"], "1")
    more = with_more(environment, {"MORE": "x"})
    assert isinstance(more, ChainMap)
    assert dict(more) == {**environment, "MORE": "x"}
    assert more.maps[1] is of_all
    assert with_more({"A": "1"}, {"MORE": "x"}) == {"A": "1", "MORE": "x"}


def test_a_program_gets_all_addresses_while_they_fit_and_else_those_that_it_needs() -> None:
    of_all = variables({f"service-{number}": Endpoint(8000 + number, (8000 + number,)) for number in range(1000)})
    environment = ChainMap({"HOME": "/"}, of_all)
    enough = room_taken(dict(environment), ["server", "8000"])
    assert that_fits(environment, ["server", "8000"], enough, ["service-3"]) is environment
    assert that_fits(environment, ["server", "8000"], enough - 1, ["service-3"]) == {
        "HOME": "/", "PORTSUP_SERVICE_3_PORT": "8003", "PORTSUP_SERVICE_3_URL": "http://127.0.0.1:8003",
    }  # fmt: skip


def test_room_is_counted_in_bytes_with_a_pointer_for_each_text() -> None:
    nothing = room_taken({}, [])
    assert room_taken({"A": "1"}, []) - nothing == len(b"A=1\0") + 8
    assert room_taken({"A": "ñ"}, ["é"]) - nothing == len("A=ñ\0é\0".encode()) + 16
