"""`portsup export`: what it writes and where, and what it refuses."""

from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Run
from tests.support.ports import free_pool
from tests.support.running import Project, program

TEXT = """
name: shop
services:
  db: {command: [sh, -c, db], pool: [8100, 8101, 8102], environment: {DB_PASSWORD: correct-horse}}
  web: {command: [no-such-program], depends_on: [db], profiles: [debug]}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "services.yaml").write_text(TEXT)
    return str(tmp_path / "services.yaml")


def test_one_file_is_printed_as_it_is_and_what_is_lost_is_said(file: str, run: Run) -> None:
    ran = run("-f", file, "export", "compose", "--image", "shop:1")
    assert ran.code == 0
    assert yaml.safe_load(ran.out)["services"]["db"]["image"] == "shop:1"
    assert "  pool (changed) of db: only the first port" in ran.err
    assert "\nnext:\n  set DB_PASSWORD in `.env` next to compose.yaml\n  docker compose up -d\n" in ran.err
    assert "correct-horse" not in ran.out + ran.err


def test_several_files_are_printed_under_their_names(file: str, run: Run) -> None:
    out = run("-f", file, "export", "systemd").out
    names = [line.removeprefix("# ===== ") for line in out.splitlines() if line.startswith("# =====")]
    assert names == ["shop.target", "shop-db.service", "shop-web.service"]


def test_programs_of_units_are_absolute_and_those_that_are_missing_are_told(file: str, run: Run) -> None:
    ran = run("-f", file, "export", "systemd")
    assert "ExecStart=/" in ran.out
    assert "warning: web: there is no program `no-such-program` here: write its absolute path into the unit" in ran.err


def test_a_program_below_the_directory_of_its_service_is_absolute_also_before_it_is_there(
    tmp_path: Path, run: Run
) -> None:
    (tmp_path / "services.yaml").write_text("name: shop\nservices: {api: {command: ./api --fast, working_dir: .}}\n")
    ran = run("-f", str(tmp_path / "services.yaml"), "export", "systemd")
    assert f"ExecStart={tmp_path}/api --fast\n" in ran.out
    assert f"warning: api: there is no program `./api` here: its unit runs `{tmp_path}/api`" in ran.err


def test_files_are_written_once_and_not_over_others(file: str, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "out/units"
    words = ("-f", file, "export", "systemd", "-o", str(folder))
    assert "wrote 3 files into" in run(*words).err
    assert run(*words).code == 0, "they are the same"
    (folder / "shop-db.service").write_text("mine")
    ran = run(*words)
    assert (ran.code, "it is there already, with other content" in ran.err) == (1, True)
    assert (folder / "shop-db.service").read_text() == "mine"
    assert run(*words, "--force").code == 0
    assert "ExecStart" in (folder / "shop-db.service").read_text()


def test_a_longer_file_is_another_one_and_what_is_no_file_is_named(file: str, run: Run, tmp_path: Path) -> None:
    words = ("-f", file, "export", "systemd", "-o", str(tmp_path / "units"))
    there = tmp_path / "units/shop-db.service"
    assert run(*words).code == 0
    there.write_text(there.read_text() + "# mine\n" * 1000)
    ran = run(*words)
    assert (ran.code, f"cannot write `{there}`: it is there already, with other content" in ran.err) == (1, True)
    assert "hint: `--force` overwrites it" in ran.err
    there.unlink()
    there.mkdir()
    assert f"cannot write `{there}`: it is a directory, not a file" in run(*words).err
    assert f"cannot write into `{file}`: it is no directory" in run(*words[:-1], file).err


def test_a_profile_starts_its_services_too(file: str, run: Run) -> None:
    assert "shop-web" not in run("-f", file, "export", "systemd").out.partition("# ===== shop-db")[0]
    assert "Wants=shop-web.service" in run("-f", file, "export", "systemd", "--profile", "debug").out
    assert run("-f", file, "export", "systemd", "--profile", "nope").code == 2


def test_a_unit_of_the_machine_has_its_user(file: str, run: Run) -> None:
    out = run("-f", file, "export", "systemd", "--system", "--user", "ada").out
    assert out.count("User=ada\n") == 2
    assert "WantedBy=multi-user.target" in out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("compose",), "--image shop:1"),
        (("systemd", "--image", "x"), "leave `--image` out"),
        (("systemd", "--workdir", "/x"), "leave `--workdir` out"),
        (("compose", "--image", "x", "--workdir", "x"), "--workdir /app"),
        (("kubernetes", "--image", "x", "--system"), "leave `--system` out"),
        (("systemd", "--user", "ada"), "use it with `systemd --system`"),
        (("systemd", "--force"), "name a directory: `-o DIR`"),
        (("nomad",), ""),
    ],
)
def test_what_makes_no_sense_is_refused(words: tuple[str, ...], hint: str, file: str, run: Run) -> None:
    ran = run("-f", file, "export", *words)
    assert (ran.code, ran.out) == (2, "")
    assert hint in ran.err


def test_a_folder_that_cannot_be_written_is_told(file: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("")
    ran = run("-f", file, "export", "systemd", "-o", str(tmp_path / "there"))
    assert (ran.code, "error: cannot write into" in ran.err) == (1, True)


@pytest.mark.live
def test_the_services_yaml_of_a_container_runs_that_service_alone(tmp_path: Path, run: Run) -> None:
    """What a quadlet or a pod starts, started here: same file, same command, the folder in its place."""
    port, other = free_pool(2)
    server = program("listens")
    services = {
        "db": {"command": ["sleep", "1000"], "pool": [other], "ready": "started"},
        "web": {"command": server, "pool": [port], "depends_on": ["db"], "environment": {"DB": "{url:db}"}},
    }
    whole = Project(tmp_path / "whole", services)
    folder = tmp_path / "out"
    made = run(
        "-f", str(whole.folder / "services.yaml"), "export", "quadlet", "--image", "x",
        "--workdir", str(whole.folder), "-o", str(folder),
    )  # fmt: skip
    assert made.code == 0, made.err
    inner = Project(tmp_path / "inner", {})
    (inner.folder / "services.yaml").write_bytes((folder / "t-web.services.yaml").read_bytes())
    with inner.up("web"):
        [info] = inner.instances()
        assert info["stack"] == "t"
        told = inner.run("env", "web").stdout
        assert f"DB=http://t-db:{other}" in told
        assert inner.run("port", "web").stdout == f"{port}\n"
        assert inner.run("status", "web").returncode == 0, "what a probe of Kubernetes asks"
