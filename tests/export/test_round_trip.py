"""An export that `init --from` converts back means what it meant."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.foreign import to_yaml
from supervisor.config.forms import usual
from supervisor.config.kinds import Showing
from supervisor.config.load import load
from supervisor.config.spec import Condition, ServiceSpec, StackSpec
from supervisor.convert.demands import with_stand_ins
from supervisor.convert.emit import document
from supervisor.convert.recognise import convert
from supervisor.convert.reconcile import reconcile
from supervisor.core.restart import Restart
from supervisor.core.state import Hook
from supervisor.export.addresses import Addresses
from supervisor.export.model import Target
from tests.export.conftest import files
from tests.support.budget import tries

EPHEMERAL = range(32768, 61000)
TARGETS = (Target.SYSTEMD, Target.COMPOSE)
NAMES = ("db", "api", "web", "job")
TEXT = st.text("abc XYZ019 '\"\\$%&|;*~#{}=\täß", min_size=1, max_size=12)
SPANS = st.sampled_from([0.5, 1.0, 2.5, 45.0, 90.0])


def back(stack: StackSpec, target: Target, folder: Path) -> StackSpec:
    """The stack that comes out of the files that it was exported to."""
    made = [(name, text) for name, text in files(stack, target).items() if not name.endswith((".target", ".socket"))]
    (first, text), *others = made
    outcome = convert(str(target), first, text, others)
    reconcile(outcome, EPHEMERAL, lambda path, is_folder: "" if is_folder else "is missing")
    text = document([], outcome.name, outcome.services, outcome.left, outcome.absent)
    return load(folder / "services.yaml", with_stand_ins(text, {}), ephemeral=EPHEMERAL, text=text)


@st.composite
def services(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Some services that need those before them; each says some of what both targets keep."""
    found: dict[str, dict[str, Any]] = {}
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    for number, name in enumerate(names):
        first = 8100 + 10 * number
        words = [*draw(st.lists(TEXT.map(written), max_size=3))]
        line = usual.command(["/bin/server", *words], Showing(reveal=True))
        service: dict[str, Any] = {"command": line, "restart": draw(st.sampled_from(list(Restart)))}
        if is_server := draw(st.booleans()):
            service |= {"pool": [first, first + 1, first + 2], "port_env": draw(st.sampled_from(["PORT", "A_PORT"]))}
            service["ready"] = draw(st.sampled_from([{"http": "/health?x=1"}, {"listening": True}]))
            service["ready"] = {**service["ready"], "timeout": 90}
        else:
            service["ready"] = "started"
        variables = st.dictionaries(st.sampled_from(["A", "B_PORT", "MODE"]), TEXT.map(written), max_size=3)
        service["environment"] = draw(variables)
        service["stop_signal"] = {"signal": draw(st.sampled_from(["SIGTERM", "SIGINT"])), "to": "main"}
        service["stop_grace_period"] = draw(SPANS)
        if draw(st.booleans()):
            service["memory_limit"] = draw(st.sampled_from([2**20, 2**29]))
            service["limits"] = {"nofile": 4096, "core": 0, "cpu_time": 60}
        if draw(st.booleans()):
            service["hooks"] = {"post_start": ["/bin/warm", "it's up"]}
        needs = draw(st.lists(st.sampled_from(names[:number]), unique=True)) if number else []
        service["depends_on"] = {
            need: {"condition": "ready" if found[need].get("pool") and draw(st.booleans()) else "started"}
            for need in needs
        }
        if is_server and needs and found[needs[0]].get("pool"):
            service["environment"]["OTHER"] = f"http://127.0.0.1:{{port:{needs[0]}}}/x"
        found[name] = service
    return found


def written(text: str) -> str:
    """A text that services.yaml takes for these characters."""
    from supervisor.config import interpolate, placeholders

    return placeholders.literally(interpolate.literally(text))


def meaning(stack: StackSpec, name: str) -> dict[str, Any]:
    """What both targets have to keep of a service, with its addresses as they are."""
    spec: ServiceSpec = stack.services[name]
    addresses = Addresses.of(stack.services, lambda name: "127.0.0.1")
    return {
        "command": [addresses.filled(word, spec) for word in spec.command],
        "environment": {key: addresses.filled(value, spec) for key, value in spec.environment.items()},
        "port": (spec.pool[:1], spec.port_env if spec.pool else ""),
        "ready": (spec.ready.probe.kind, spec.ready.probe.target),
        "restart": spec.restart_policy.restart,
        "stop": (spec.stop_signal, spec.stop_to, spec.stop_grace_period),
        "limits": (spec.memory_limit, dict(spec.limits)),
        "depends_on": dict(spec.depends_on),
        "hooks": {hook: each.command for hook, each in spec.hooks.items()},
    }


@pytest.mark.parametrize("target", TARGETS)
@tries(7, 150)
@given(services=services())
def test_it_means_the_same(target: Target, services: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    text = to_yaml({"name": "shop", "services": services}, 10_000)
    stack = load(folder / "services.yaml", {}, ephemeral=EPHEMERAL, text=text)
    found = back(stack, target, folder)
    assert (found.name, found.services.keys()) == (stack.name, stack.services.keys())
    for name in stack.services:
        wanted = meaning(stack, name)
        if target is Target.COMPOSE and stack.services[name].pool:
            wanted["ready"] = found.services[name].ready.probe.kind, found.services[name].ready.probe.target
        assert meaning(found, name) == wanted


def test_what_only_systemd_keeps_comes_back_from_it(rich: StackSpec, tmp_path: Path) -> None:
    found = back(rich, Target.SYSTEMD, tmp_path).services
    db = found["db"]
    assert db.hooks.keys() == {Hook.PRE_START, Hook.POST_START, Hook.POST_STOP}
    assert db.stop_command is not None
    assert db.stop_command.command == ("db-ctl", "stop")
    assert (db.umask, db.limits, db.working_dir) == (0o027, rich.services["db"].limits, rich.services["db"].working_dir)
    assert (found["seed"].one_shot, found["speaker"].ready.probe.kind) == (True, "notify")
    assert found["api"].success_exit_codes == {0, 3}
    assert found["api"].watchdog == 30.0
    assert found["api"].restart_policy.max_restarts == 10
    assert found["api"].depends_on == {"db": Condition.READY, "seed": Condition.READY}, "ready: it has ended well"
    assert found["socket"].depends_on == {"api": Condition.STARTED}
    assert found["api"].environment.keys() >= {"DB", "SELF"}


def test_what_only_compose_keeps_comes_back_from_it(rich: StackSpec, tmp_path: Path) -> None:
    found = back(rich, Target.COMPOSE, tmp_path).services
    assert found["worker"].profiles == ("debug",)
    assert (found["worker"].stdin, found["speaker"].autostart) == ("open", False)
    assert found["api"].restarts_with == {"db"}
    assert found["api"].depends_on == {"db": Condition.READY, "seed": Condition.COMPLETED_OK}
    assert (found["db"].logging.max_size, found["db"].logging.backups) == (20 * 2**20, 2)
    assert "DB_PASSWORD" in found["db"].environment
