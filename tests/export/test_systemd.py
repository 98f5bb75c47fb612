"""Units that run the programs themselves."""

import shutil
import subprocess
from pathlib import Path

import pytest

from supervisor.config.load import load
from supervisor.config.spec import StackSpec
from supervisor.export.model import Target
from tests.export.conftest import ROOT, Loading, exported, files
from tests.support.needed import need


def unit(stack: StackSpec, service: str, kind: str = "service", **wishes: object) -> dict[str, list[str]]:
    """The values of each key of a unit."""
    found: dict[str, list[str]] = {}
    for line in files(stack, Target.SYSTEMD, **wishes)[f"{stack.name}-{service}.{kind}"].splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_it_is_the_program_itself_on_its_first_port(rich: StackSpec) -> None:
    db = unit(rich, "db", programs={"db": {"db-server": "/opt/db server"}})
    assert db["ExecStart"] == ['"/opt/db server" --bind 127.0.0.1 --port 15432 --data "it\'s here"']
    assert db["WorkingDirectory"] == [str(rich.directory / "data")]
    assert {"DB_PORT=15432", "HOST=127.0.0.1", '"MODE=a b\\tc"', '"PRICE=5$ each"'} <= set(db["Environment"])
    assert "PORTSUP_API_PORT=15440 PORTSUP_API_URL=http://127.0.0.1:15440" in db["Environment"]
    assert db["EnvironmentFile"] == ["%E/shop/db.env"]


def test_ready_is_waited_for_before_what_comes_after(rich: StackSpec) -> None:
    api, db = unit(rich, "api"), unit(rich, "db")
    assert (api["Requires"], api["After"]) == (["shop-db.service shop-seed.service"],) * 2
    assert db["ExecStartPost"][0] == (
        '/bin/bash -c "until (: </dev/tcp/127.0.0.1/15432) 2>/dev/null; '
        'do [ -d /proc/$$MAINPID ] || exit 1; sleep 0.2; done"'
    )
    assert db["TimeoutStartSec"] == ["20"]
    [wait] = api["ExecStartPost"]
    assert wait.startswith('/bin/sh -c "until curl -fsS -H \\"Authorization: $${API_SECRET_')
    assert (unit(rich, "speaker")["Type"], unit(rich, "speaker")["NotifyAccess"]) == (["notify"], ["all"])


def test_a_job_is_done_and_stays_done(rich: StackSpec) -> None:
    seed = unit(rich, "seed")
    assert (seed["Type"], seed["RemainAfterExit"], seed["TimeoutStartSec"]) == (["oneshot"], ["yes"], ["infinity"])
    assert "ExecStartPost" not in seed


def test_one_that_need_only_be_started_is_wanted_and_not_waited_for(rich: StackSpec) -> None:
    socket = unit(rich, "socket")
    assert (socket["Wants"], socket["After"]) == (["shop-api.service"], ["shop-socket.socket"])


def test_a_socket_that_is_passed_has_a_unit_of_its_own(rich: StackSpec) -> None:
    assert unit(rich, "socket")["ExecStart"] == ["activated --fd 3"]
    socket = unit(rich, "socket", "socket")
    assert (socket["ListenStream"], socket["FileDescriptorName"]) == (["127.0.0.1:15450"], ["socket"])
    assert "ExecStartPost" not in unit(rich, "socket"), "whoever connects waits in its queue"


def test_hooks_stop_and_limits(rich: StackSpec) -> None:
    db = unit(rich, "db", is_system=True)
    assert db["ExecStartPre"] == ["db-migrate --to latest"]
    assert db["ExecStartPost"][1:] == ["-db-warm"]
    assert db["ExecStop"] == ["db-ctl stop"]
    assert db["ExecStopPost"] == ['sh -c "rm -f data/*.tmp && echo done"']
    assert (db["KillSignal"], db["KillMode"], db["TimeoutStopSec"]) == (["SIGINT"], ["mixed"], ["60"])
    assert (db["User"], db["Group"], db["UMask"]) == (["postgres"], ["postgres"], ["0027"])
    assert (db["LimitNOFILE"], db["LimitCPU"], db["MemoryMax"]) == (["4096"], ["3600"], ["536870912"])
    assert (db["SocketBindAllow"], db["SocketBindDeny"]) == (["tcp:15432"], ["tcp"])
    assert unit(rich, "old")["TimeoutStopSec"] == ["0.001"], "0 would be any time"
    assert unit(rich, "old")["PIDFile"] == [str(rich.directory / "run/old.pid")]


def test_your_own_systemd_is_told_of_no_user(rich: StackSpec) -> None:
    assert not unit(rich, "db").keys() & {"User", "Group", "SocketBindDeny"}
    assert unit(rich, "api", is_system=True, user="ada")["User"] == ["ada"]


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("", {"StartLimitBurst": ["11"], "StartLimitIntervalSec": ["60"], "RestartSec": ["0.5"]}),
        ("max_restarts: infinite", {"StartLimitIntervalSec": ["0"]}),
        ("max_restarts: 0", {"StartLimitBurst": ["1"]}),
        ("delay: 30s, max_restarts: 4", {"StartLimitBurst": ["5"], "StartLimitIntervalSec": ["150"]}),
    ],
)
def test_the_limit_of_restarts_counts_starts(policy: str, told: dict[str, list[str]], loading: Loading) -> None:
    stack = loading(f"name: s\nservices: {{a: {{command: a, restart_policy: {{{policy}}}}}}}")
    assert {key: unit(stack, "a").get(key) for key in told} == told


def test_an_end_that_is_that_of_all_stops_the_target(rich: StackSpec) -> None:
    assert unit(rich, "api")["OnFailure"] == ["shop-stop.target"]
    assert "Conflicts=shop.target" in files(rich, Target.SYSTEMD)["shop-stop.target"]


def test_the_target_wants_what_starts_by_itself(rich: StackSpec) -> None:
    target = files(rich, Target.SYSTEMD)["shop.target"]
    assert "shop-worker.service" not in target
    assert "shop-speaker.service" not in target
    assert "Wants=shop-socket.socket shop-socket.service\n" in target
    assert "WantedBy=default.target" in target
    assert "WantedBy=multi-user.target" in files(rich, Target.SYSTEMD, is_system=True)["shop.target"]


def test_the_first_client_starts_a_service_by_its_socket(loading: Loading) -> None:
    text = "{pool: 8100-8102, start: on-connect, command: a"
    stack = loading(f"name: s\nservices: {{a: {text}, handoff: systemd}}, b: {text.replace('81', '82')}}}}}")
    target = files(stack, Target.SYSTEMD)["s.target"]
    assert "Wants=s-a.socket\n" in target
    assert "Wants=s-b.service\n" in target
    assert {loss.key: loss.services for loss in exported(stack, Target.SYSTEMD).losses}["start"] == ("b",)


@pytest.mark.live
@pytest.mark.parametrize("is_system", [True, False])
@pytest.mark.parametrize("which", ["rich", "newer", "shipped"])
def test_systemd_accepts_every_unit(
    which: str, is_system: bool, rich: StackSpec, newer: StackSpec, tmp_path: Path
) -> None:
    need(shutil.which("systemd-analyze"), "systemd-analyze", "on Debian and Ubuntu: apt install systemd")
    stack = {"rich": rich, "newer": newer}.get(which) or load(ROOT / "services.yaml", {}, ephemeral=())
    programs = {
        name: {hook.command[0]: "/bin/true" for hook in spec.all_hooks.values()} | {spec.command[0]: "/bin/true"}
        for name, spec in stack.services.items()
    }
    folder = tmp_path / "units"
    folder.mkdir()
    path = '/usr/bin:/odd "folder" 100% $money'
    for name, text in files(stack, Target.SYSTEMD, programs=programs, is_system=is_system, path=path).items():
        (folder / name).write_text(text)
    # Without this option unknown keys and bad values are only warnings.
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", *sorted(map(str, folder.iterdir()))],
        env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
