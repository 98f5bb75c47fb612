"""`portsup unit`: a unit that systemd accepts, with the time that the stack takes to stop."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from supervisor.cli.commands.config import load
from supervisor.cli.commands.unit import lines
from supervisor.errors import PortsupError
from supervisor.export.stopping import AFTER_GRACE, TO_END, stop_time_of_all
from tests.cli.conftest import Run
from tests.support.needed import need

SERVICES: dict[str, dict[str, Any]] = {
    "db": {"command": "db", "stop_grace_period": "30s"},
    "api": {"command": "api", "depends_on": ["db"], "stop_grace_period": "4s"},
    "web": {"command": "web", "depends_on": ["api", "db"], "stop_grace_period": "1s"},
    "other": {"command": "other", "stop_grace_period": "20s"},
}


def project(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "services.yaml"
    file.write_text(yaml.safe_dump({"name": "shop", "services": SERVICES}))
    return file


def value(text: str, key: str) -> str:
    [found] = [line.removeprefix(f"{key}=") for line in text.splitlines() if line.startswith(f"{key}=")]
    return found


def test_the_stop_may_take_as_long_as_the_longest_chain(tmp_path: Path) -> None:
    steps = 3 * AFTER_GRACE
    file = project(tmp_path)
    assert stop_time_of_all(load([str(file)]).services) == 30 + 4 + 1 + steps + TO_END
    hook = {"command": "true", "timeout": "7s"}
    api = SERVICES["api"] | {"hooks": {"pre_start": hook, "pre_stop": hook, "post_stop": hook}}
    file.write_text(yaml.safe_dump({"name": "shop", "services": SERVICES | {"api": api}}))
    assert stop_time_of_all(load([str(file)]).services) == 30 + 4 + 1 + 2 * 7 + steps + TO_END


@pytest.mark.live
def test_it_is_for_a_notify_service_with_absolute_paths(tmp_path: Path, run: Run) -> None:
    file = project(tmp_path / "shop")
    ran = run("-f", str(file), "--instance", "2", "unit", "--profile", "debug", "web")
    assert (ran.code, ran.err) == (0, "")
    start = value(ran.out, "ExecStart")
    assert start.startswith("/")
    assert start.endswith(f" -f {file} --instance 2 up --profile=debug web")
    assert value(ran.out, "ExecReload") == start.partition(" up ")[0] + " reload"
    assert value(ran.out, "WorkingDirectory") == str(file.parent)
    told = {key: value(ran.out, key) for key in ("Type", "KillMode", "Restart", "TimeoutStopSec", "WantedBy")}
    assert told == {
        "Type": "notify", "KillMode": "mixed", "Restart": "on-failure", "TimeoutStopSec": "60",
        "WantedBy": "default.target",
    }  # fmt: skip
    assert "User=" not in ran.out
    over = tmp_path / "over.yaml"
    over.write_text("services: {db: {command: other}}")
    assert f" -f {file} -f {over} up" in value(run("-f", str(file), "-f", str(over), "unit").out, "ExecStart")
    assert value(run("-f", str(file), "unit", "--system", "--user", "ada").out, "User") == "ada"
    assert value(run("-f", str(file), "unit", "--system").out, "WantedBy") == "multi-user.target"


@pytest.mark.live
def test_what_makes_no_sense_is_refused(tmp_path: Path, run: Run) -> None:
    file = str(project(tmp_path / "shop"))
    assert run("-f", file, "unit", "--user", "ada").code == 2
    ran = run("-f", file, "unit", "wbe")
    assert (ran.code, ran.out) == (4, "")
    assert run("unit").code == 2, "there is no services.yaml"


def test_a_name_that_a_unit_cannot_hold_is_refused(tmp_path: Path) -> None:
    stack = load([str(project(tmp_path / "line\nbreak"))])
    with pytest.raises(PortsupError, match="characters that it cannot hold"):
        lines(stack, ["/bin/portsup"], ["up"], {}, user="", is_system=False)


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("/srv/shop", "/srv/shop"),
        ("/srv/my shop", '"/srv/my shop"'),
        ("100%", "100%%"),
        ("$HOME/x", '"$$HOME/x"'),
        ('say "x" \\ y', '"say \\"x\\" \\\\ y"'),
        ("a;b", '"a;b"'),
        ("", '""'),
    ],
)
def test_a_word_of_a_command_means_itself(word: str, written: str, tmp_path: Path) -> None:
    stack = load([str(project(tmp_path))])
    text = "\n".join(lines(stack, ["/bin/portsup"], [word], {}, user="", is_system=False))
    assert value(text, "ExecStart") == f"/bin/portsup {written}"


@pytest.mark.live
@pytest.mark.parametrize("words", [(), ("--system", "--user", "root"), ("--instance", "3", "--profile", "a$b", "db")])
def test_systemd_accepts_it(words: tuple[str, ...], tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    need(shutil.which("systemd-analyze"), "systemd-analyze", "on Debian and Ubuntu: apt install systemd")
    monkeypatch.setenv("PATH", '/usr/bin:/odd "folder" with 100% $money')
    file = project(tmp_path / "my shop, 50% of $it")
    made = tmp_path / "shop.service"
    made.write_text(run("-f", str(file), "unit", *words).out)
    # Without this option unknown keys and bad values are only warnings; with `yes` those of other units count as well.
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", str(made)],
        env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
