"""A compose.yaml that the schema of the compose specification accepts.

compose-spec.json is that schema, as of June 2026: github.com/compose-spec/compose-spec, Apache License 2.0.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from supervisor.config.load import load
from supervisor.config.spec import StackSpec
from supervisor.export.model import Target
from tests.export.conftest import ROOT, Loading, exported, files
from tests.export.podman import DEBIAN
from tests.support.reading import read_yaml

_PLACE = "usr/libexec/docker/cli-plugins/docker-compose"
PLUGIN = next((place for place in (Path("/", _PLACE), DEBIAN / _PLACE) if place.exists()), None)
SCHEMA = json.loads((Path(__file__).parent / "compose-spec.json").read_text(encoding="utf-8"))


def compose(stack: StackSpec) -> Any:
    return read_yaml(files(stack, Target.COMPOSE)["compose.yaml"])


@pytest.mark.parametrize("which", ["rich", "newer", "shipped"])
def test_the_schema_accepts_it(which: str, rich: StackSpec, newer: StackSpec) -> None:
    stack = {"rich": rich, "newer": newer}.get(which) or load(ROOT / "services.yaml", {}, ephemeral=())
    mistakes = [f"{error.json_path}: {error.message}" for error in Draft7Validator(SCHEMA).iter_errors(compose(stack))]
    assert mistakes == []


@pytest.mark.live
@pytest.mark.skipif(PLUGIN is None, reason="there is no plugin `compose` of docker: `make test-exports` has one")
@pytest.mark.parametrize("which", ["rich", "shipped"])
def test_docker_compose_accepts_it(which: str, rich: StackSpec, tmp_path: Path) -> None:
    stack = rich if which == "rich" else load(ROOT / "services.yaml", {}, ephemeral=())
    made = exported(stack, Target.COMPOSE)
    assert PLUGIN is not None
    (tmp_path / "compose.yaml").write_text(made.files[0].text)
    secrets = {secret.key: "x" for secret in made.secrets if secret.needed}
    for given in (secrets, {}) if secrets else (secrets,):
        ran = subprocess.run(
            [PLUGIN, "-f", tmp_path / "compose.yaml", "config", "-q"], env={"PATH": "/usr/bin:/bin", **given},
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert (ran.returncode == 0) is (given == secrets), ran.stderr


def test_the_schema_sees_mistakes(rich: StackSpec) -> None:
    data = compose(rich)
    data["services"]["db"]["portz"] = []
    assert list(Draft7Validator(SCHEMA).iter_errors(data)) != []


def test_it_is_the_program_itself_where_others_reach_it(rich: StackSpec) -> None:
    db = compose(rich)["services"]["db"]
    assert db["command"] == ["db-server", "--bind", "0.0.0.0", "--port", "15432", "--data", "it's here"]
    assert (db["entrypoint"], db["working_dir"]) == ([], "/app/data")
    assert db["ports"] == ["127.0.0.1:15432:15432"]
    assert (db["environment"]["HOST"], db["environment"]["DB_PORT"]) == ("0.0.0.0", "15432")
    assert db["environment"]["PRICE"] == "5$$ each"


def test_others_are_found_by_their_names(rich: StackSpec) -> None:
    api = compose(rich)["services"]["api"]["environment"]
    assert (api["DB"], api["SELF"]) == ("http://db:15432", "http://127.0.0.1:15440")
    assert api["PORTSUP_DB_URL"] == "http://db:15432"
    assert compose(rich)["services"]["seed"]["command"][-1] == "postgres://seed@db:15432/shop"


def test_what_runs_on_a_schedule_does_not_run_at_the_start(newer: StackSpec) -> None:
    assert compose(newer)["services"]["nightly"]["scale"] == 0
    [loss] = [loss for loss in exported(newer, Target.COMPOSE).losses if loss.key == "schedule.cron"]
    assert "docker compose run --rm" in loss.why


def test_replicas_without_a_port_are_containers(newer: StackSpec) -> None:
    services = compose(newer)["services"]
    assert services["worker"]["scale"] == 4
    assert "scale" not in services["api"]
    told = {loss.key: loss.services for loss in exported(newer, Target.COMPOSE).losses}
    assert told["replicas, min_ready"] == ("api",)


def test_conditions(rich: StackSpec) -> None:
    services = compose(rich)["services"]
    assert services["api"]["depends_on"] == {
        "db": {"condition": "service_healthy", "restart": True},
        "seed": {"condition": "service_completed_successfully"},
    }
    assert services["socket"]["depends_on"] == {"api": {"condition": "service_started"}}


def test_who_cannot_be_asked_is_not_waited_for(loading: Loading) -> None:
    stack = loading("services: {a: {command: a, ready: {log: up}}, b: {command: b, depends_on: [a]}}")
    assert compose(stack)["services"]["b"]["depends_on"] == {"a": {"condition": "service_started"}}


def test_a_check_asks_in_the_container(rich: StackSpec) -> None:
    services = compose(rich)["services"]
    assert services["db"]["healthcheck"]["test"] == ["CMD", "bash", "-c", ": </dev/tcp/127.0.0.1/15432"]
    assert services["api"]["healthcheck"]["test"][:3] == ["CMD", "sh", "-c"]
    assert '-H "Authorization: $${API_SECRET_' in services["api"]["healthcheck"]["test"][3]
    assert "healthcheck" not in services["seed"]


def test_a_service_that_others_reach_from_elsewhere_is_published_to_all(loading: Loading) -> None:
    stack = loading("services: {a: {command: a, pool: 8100-8102, environment: {HOST: 0.0.0.0}}}")
    assert compose(stack)["services"]["a"]["ports"] == ["8100:8100"]


def test_life(rich: StackSpec) -> None:
    services = compose(rich)["services"]
    told = {name: each["restart"] for name, each in services.items()}
    assert (told["db"], told["api"], told["worker"]) == ("always", "on-failure:10", "no")
    assert (services["worker"]["profiles"], services["speaker"]["scale"]) == (["debug"], 0)
    db = services["db"]
    assert (db["stop_signal"], db["stop_grace_period"], db["user"]) == ("SIGINT", "60s", "postgres:postgres")
    assert db["pre_stop"] == [{"command": ["db-ctl", "stop"]}]
    assert db["logging"]["options"] == {"max-size": "20971520", "max-file": "3"}
    assert (db["ulimits"]["nofile"], db["mem_limit"]) == (4096, "536870912b")


def test_nothing_changes_from_one_time_to_the_next(rich: StackSpec) -> None:
    for target in Target:
        assert files(rich, target) == files(rich, target)
