"""What of a services.yaml travels to the nodes, and what is refused before anything does."""

from pathlib import Path

import pytest

from supervisor.cluster.plan import config_of, plan, without_effect
from supervisor.config.dump import as_yaml
from supervisor.config.keys.stack import STACK
from supervisor.config.load import load
from supervisor.config.spec import StackSpec
from supervisor.errors import UsageError
from supervisor.words import cluster as words

SHOP = """\
name: shop
services:
  api:
    command: serve --bind {host} {port} --dollar $${HOME}
    pool: 8100-8102
    expose: true
    place: {cpus: 0.5, labels: {zone: b}, spread: true}
    depends_on: [web]
  web:
    command: serve {port}
    pool: 8110
    expose: true
    working_dir: sub
    environment: {TOKEN: abc, API: "{url:api}"}
"""


def stack(tmp_path: Path, text: str = SHOP) -> StackSpec:
    (tmp_path / "sub").mkdir(exist_ok=True)
    (tmp_path / "services.yaml").write_text(text)
    return load(tmp_path / "services.yaml", {"HOME": "/nowhere"}, ephemeral=())


def test_a_part_has_what_its_keeper_must_know(tmp_path: Path) -> None:
    made = plan(stack(tmp_path), 2, ["api"], "1.0")
    assert made["order"] == ["web", "api"]
    assert (made["stack"], made["instance"], made["lease"], made["grace"]) == ("shop", 2, 15.0, 5.0)
    api = made["services"]["api"]
    assert api["place"] == {"cpus": 0.5, "gpus": 0.0, "labels": {"zone": "b"}, "node": "", "spread": True}
    assert (api["expose"], api["needs"], api["pool"]) == (True, {"web": "ready"}, [8100, 8101, 8102])


def test_a_service_that_nobody_asked_for_stays_at_home(tmp_path: Path) -> None:
    assert plan(stack(tmp_path), 1, ["web"], "1.0")["order"] == ["web"]


def test_the_file_of_one_service_loads_on_its_node_and_means_the_same(tmp_path: Path) -> None:
    made = plan(stack(tmp_path), 1, ["api"], "1.0")
    folder = tmp_path / "node"
    (folder / "sub").mkdir(parents=True)
    for name, host in (("api", "10.0.0.2"), ("web", "")):
        file = folder / f"{name}.yaml"
        file.write_text(as_yaml(config_of(made, name, str(folder), host, 7)))
        there = load(file, {}, ephemeral=())
        assert there.name == f"shop.{name}"
        spec = there.services[name]
        assert spec.environment["PORTSUP_EPOCH"] == "7"
        if name == "api":
            assert spec.command == ("serve", "--bind", "10.0.0.2", "{port}", "--dollar", "${HOME}")
            assert spec.environment["HOST"] == "10.0.0.2"
        else:
            assert (spec.working_dir, spec.environment["API"]) == (folder / "sub", "{url:api}")
            assert "HOST" not in spec.environment


def test_a_file_has_no_secret_of_another_service(tmp_path: Path) -> None:
    made = plan(stack(tmp_path), 1, ["api"], "1.0")
    assert "abc" in as_yaml(config_of(made, "web", "/f", "", 1))
    assert "abc" not in as_yaml(config_of(made, "api", "/f", "", 1))


@pytest.mark.parametrize(("key", "is_refused"), [("", True), ("place: {node: n1}", False)])
def test_whom_others_use_is_exposed_or_beside_them(tmp_path: Path, key: str, is_refused: bool) -> None:
    text = f"""\
name: shop
services:
  api: {{command: serve, pool: 8100, {key}}}
  web: {{command: "serve {{url:api}}", pool: 8110, {key}}}
"""
    found = stack(tmp_path, text)
    if not is_refused:
        assert plan(found, 1, ["web"], "1.0")["order"] == ["web"]
        return
    with pytest.raises(UsageError, match="cannot start `web` on a cluster") as caught:
        plan(found, 1, ["web"], "1.0")
    assert "`expose: true`" in caught.value.hint


def test_strict_ports_are_so_on_each_node(tmp_path: Path) -> None:
    made = plan(stack(tmp_path, "ports: {strict: true}\n" + SHOP), 1, ["api"], "1.0")
    assert config_of(made, "api", "/f", "", 1)["ports"] == {"strict": True}


def test_what_has_no_effect_on_a_cluster_is_found_with_who_says_it(tmp_path: Path) -> None:
    text = """\
name: shop
budget: {memory: 1GB}
notify: {run: echo}
names: {port: 1355}
services:
  api: {command: serve, pool: 8100, watch: {paths: [sub], action: restart}, fetch_url: "http://127.0.0.1:1"}
  job: {command: work, one_shot: true, on_end: stop_all}
  far: {command: serve, watch: {paths: [/etc/hosts], action: restart}}
"""
    found = without_effect(stack(tmp_path, text), ["api", "job", "far"])
    assert found == {"budget": [], "notify": [], "names": [], "fetch_url": ["api"], "watch": ["api"], "on_end": ["job"]}
    told = words.not_kept(found)
    assert told[0].startswith("`budget` has no effect on a cluster: each service has a portsup of its own")
    assert "`on_end` of job has no effect" in told[-1]


def test_each_key_of_a_stack_travels_or_is_told() -> None:
    """A key that is added must be one of these: what is not carried to the nodes has no effect there."""
    carried = {"name", "instances", "ports", "engine", "render", "services"}
    told = {"budget", "notify", "names"}
    assert {key.name for key in STACK.keys} == carried | told


def test_a_lease_that_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    found = stack(tmp_path, "engine: {ray: {lease: 6s, grace: 3s}}\n" + SHOP)
    with pytest.raises(UsageError, match="before another node starts them") as caught:
        plan(found, 1, ["api"], "1.0")
    assert "at least 8s" in caught.value.hint
