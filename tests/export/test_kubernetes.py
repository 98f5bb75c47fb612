"""Manifests that Kubernetes takes, and whose parts fit together."""

import importlib.util
from typing import Any

import pytest

from supervisor.config.load import load
from supervisor.config.spec import StackSpec
from supervisor.errors import PortsupError
from supervisor.export.model import Target
from tests.export.conftest import ROOT, Loading, files
from tests.support.reading import read_all_yaml

VERSIONS = [f"1.{minor}" for minor in range(25, 38)]


MADE: list[tuple[StackSpec, list[dict[str, Any]]]] = []  # of the stacks of the last few tests


def objects(stack: StackSpec) -> list[dict[str, Any]]:
    for known, made in MADE:
        if known is stack:
            return made
    [text] = files(stack, Target.KUBERNETES).values()
    MADE[8:] = []
    MADE.insert(0, (stack, read_all_yaml(text)))
    return MADE[0][1]


def of(stack: StackSpec, service: str) -> dict[str, dict[str, Any]]:
    """The objects of a service by their kinds."""
    return {each["kind"]: each for each in objects(stack) if each["metadata"]["name"] == f"{stack.name}-{service}"}


def pod(stack: StackSpec, service: str) -> Any:
    found = of(stack, service)
    return (found.get("Deployment") or found["Job"])["spec"]["template"]["spec"]


def test_portsup_runs_the_service_in_its_container(rich: StackSpec) -> None:
    [container] = pod(rich, "db")["containers"]
    assert container["command"] == ["portsup", "-f", "/etc/portsup/services.yaml", "up", "db"]
    assert container["volumeMounts"][0]["mountPath"] == "/etc/portsup"
    assert pod(rich, "db")["volumes"][0]["configMap"]["name"] == of(rich, "db")["ConfigMap"]["metadata"]["name"]


def test_pods_are_replaced_when_what_portsup_reads_there_changes(loading: Loading) -> None:
    def annotations(command: str) -> Any:
        stack = loading(f"name: shop\nservices: {{web: {{command: {command}}}, other: {{command: b}}}}\n")
        return [of(stack, name)["Deployment"]["spec"]["template"]["metadata"]["annotations"] for name in stack.services]

    (web, other), (changed, same) = annotations("a"), annotations("a --more")
    assert web.keys() == changed.keys()
    assert web != changed
    assert other == same


def test_selectors_are_labels_and_ports_have_the_names_that_are_asked_for(rich: StackSpec) -> None:
    for each in objects(rich):
        if each["kind"] == "Service":
            deployment = of(rich, each["metadata"]["name"].removeprefix("shop-"))["Deployment"]["spec"]
            labels = deployment["template"]["metadata"]["labels"]
            assert each["spec"]["selector"].items() <= labels.items()
            assert deployment["selector"]["matchLabels"].items() <= labels.items()
            [port] = deployment["template"]["spec"]["containers"][0]["ports"]
            assert each["spec"]["ports"][0]["targetPort"] == port["name"]
            assert each["spec"]["ports"][0]["port"] == port["containerPort"]


def test_ready_is_asked_by_the_kubelet_where_it_can(rich: StackSpec) -> None:
    def probe(service: str) -> Any:
        return pod(rich, service)["containers"][0]["readinessProbe"]

    assert probe("db")["tcpSocket"] == {"port": "main"}
    asks = {"command": ["portsup", "-f", "/etc/portsup/services.yaml", "status", "api"]}
    assert probe("api")["exec"] == asks, "a header and a text: only portsup can"
    shipped = load(ROOT / "services.yaml", {}, ephemeral=())
    assert pod(shipped, "sandra-ia")["containers"][0]["readinessProbe"]["httpGet"] == {
        "path": "/health/ready?settled", "port": "main",
    }  # fmt: skip


def test_who_has_to_be_ready_is_waited_for(rich: StackSpec) -> None:
    [wait] = pod(rich, "api")["initContainers"]
    assert "('shop-db', 15432)" in wait["command"][2]
    assert "initContainers" not in pod(rich, "socket"), "it only has to be started"


def test_secrets_are_references(rich: StackSpec) -> None:
    variables = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in pod(rich, "api")["containers"][0]["env"]}
    assert variables["DB_PASSWORD"] == {"name": "shop", "key": "API_DB_PASSWORD"}


def test_replicas_and_schedules_are_those_of_portsup_in_the_container(newer: StackSpec) -> None:
    def service(name: str) -> dict[str, Any]:
        config: dict[str, Any] = read_all_yaml(of(newer, name)["ConfigMap"]["data"]["services.yaml"])[0]["services"][
            name
        ]
        return config

    assert of(newer, "api")["Deployment"]["spec"]["replicas"] == 1
    assert (service("api")["replicas"], service("api")["min_ready"]) == (3, 2)
    assert service("nightly")["schedule"]["cron"] == "30 3 1 * mon"
    assert service("sleeper")["idle_stop"] == 900


def test_a_job_with_a_schedule_is_never_over(newer: StackSpec) -> None:
    assert set(of(newer, "nightly")) == {"ConfigMap", "Deployment"}
    assert "restartPolicy" not in pod(newer, "nightly")


def test_a_job_is_a_job(rich: StackSpec) -> None:
    job = of(rich, "seed")["Job"]["spec"]
    assert (job["backoffLimit"], job["suspend"]) == (0, False)
    assert (pod(rich, "seed")["restartPolicy"], "Service" in of(rich, "seed")) == ("Never", False)


def test_what_does_not_start_by_itself_has_no_replica(rich: StackSpec) -> None:
    told = {name: of(rich, name)["Deployment"]["spec"]["replicas"] for name in ("db", "worker", "speaker")}
    assert told == {"db": 1, "worker": 0, "speaker": 0}


@pytest.mark.parametrize(
    ("user", "context", "is_kept"),
    [("1000", {"runAsUser": 1000, "runAsNonRoot": True}, False), ("www-data", None, True)],
)
def test_a_user_is_a_number_or_left_to_portsup(user: str, context: Any, is_kept: bool, loading: Loading) -> None:
    stack = loading(f"name: s\nservices: {{a: {{command: a, user: {user}}}}}")
    assert pod(stack, "a").get("securityContext") == context
    assert (f"user: {user}" in of(stack, "a")["ConfigMap"]["data"]["services.yaml"]) is is_kept


def test_names_become_labels(loading: Loading) -> None:
    stack = loading("name: 1st.shop\nservices: {my_web.2: {command: a}}")
    assert {each["metadata"]["name"] for each in objects(stack)} == {"s-1st-shop-my-web-2"}


@pytest.mark.parametrize(
    ("services", "why"),
    [
        ("{a..b: {command: a}, a-b: {command: a}}", "has the name of"),
        (f"{{{'a' * 63}: {{command: a}}}}", "more than 63"),
    ],
)
def test_names_that_kubernetes_does_not_take_are_refused(services: str, why: str, loading: Loading) -> None:
    with pytest.raises(PortsupError, match=why):
        objects(loading(f"name: s\nservices: {services}"))


@pytest.mark.skipif(
    importlib.util.find_spec("kubernetes_validate") is None, reason="it is large: `make test-exports` installs it"
)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_schemas_of_kubernetes_accept_it(version: str, rich: StackSpec, newer: StackSpec) -> None:
    validator = importlib.import_module("kubernetes_validate")
    for each in [*objects(rich), *objects(newer), *objects(load(ROOT / "services.yaml", {}, ephemeral=()))]:
        validator.validate(each, version, strict=True)
