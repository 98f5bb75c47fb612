"""Files are written whole or not at all, and what cannot be read is neither replaced nor taken for empty."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from supervisor.ports.folders import LARGEST
from tests.live.conftest import Make
from tests.live.stack import SLEEPS
from tests.live.test_hard_places import needs_root
from tests.support.disks import fill, small_disk
from tests.support.eventually import eventually
from tests.support.planted import PLANTED, plant
from tests.support.ports import free_pool
from tests.support.rounds import only
from tests.support.running import program

pytestmark = pytest.mark.live

GOOD = {"stack": "other", "folder": "/", "instance": 3, "used": 1.5}
ODD: list[dict[str, object]] = [
    {"instance": -5}, {"instance": 0}, {"instance": 10**9}, {"instance": True}, {"instance": 1.0}, {"used": 1e999},
    {"used": float("nan")}, {"used": 10**400}, {"used": None}, {"stack": 7}, {"folder": None},
]  # fmt: skip


def test_entries_that_make_no_sense_are_left_out_in_a_sentence_and_the_file_is_kept(stack: Make) -> None:
    live = stack({"web": SLEEPS})
    live.state.mkdir(mode=0o700)
    file = live.state / "folders.json"
    mine: dict[str, object] = {"stack": "t", "folder": str(live.folder), "instance": 1, "used": 1.0}
    text = json.dumps([*({**mine, **odd} for odd in ODD), GOOD]).replace("Infinity", "1e400")
    file.write_text(text)
    for words in (("ls", "--all"), ("doctor",), ("prune", "--dry-run"), ("up", "-d")):
        done = live.run(*words)
        assert done.returncode == 0, (words, done.stderr)
        assert f"{len(ODD)} entries of `{file}` make no sense, and are left out" in done.stderr + done.stdout, words
    assert live.run("down").returncode == 0
    assert [entry["stack"] for entry in json.loads(file.read_text())] == ["other", "t"]
    assert Path(f"{file}.damaged").read_text() == text


@pytest.mark.parametrize(
    "text", only(["{", "9" * 5000], ["{", "null", '{"stack": "t"}', "[" * 100000, "9" * 5000, "\0"])
)
def test_a_file_that_is_no_list_is_set_aside_and_that_is_said(stack: Make, text: str) -> None:
    live = stack({"web": SLEEPS})
    live.state.mkdir(mode=0o700)
    (live.state / "folders.json").write_text(text)
    started = live.run("up", "-d")
    assert (started.returncode, "it is not a list of directories" in started.stderr) == (0, True), started.stderr
    assert live.run("down").returncode == 0
    assert [entry["stack"] for entry in json.loads((live.state / "folders.json").read_text())] == ["t"]
    assert (live.state / "folders.json.damaged").read_text() == text


@pytest.mark.parametrize("kind", only(["long", "link"], ["long", *PLANTED]))
def test_a_file_that_cannot_be_read_is_neither_replaced_nor_taken_for_empty(stack: Make, kind: str) -> None:
    live = stack({"web": SLEEPS})
    live.state.mkdir(mode=0o700)
    file = live.state / "folders.json"
    if kind == "long":
        entry = {"stack": "s", "folder": "/", "instance": 1, "used": 1.0}
        file.write_text(json.dumps([entry] * (LARGEST // 50)))
        assert file.stat().st_size > LARGEST
    else:
        plant(file, kind, live.folder / "precious")
    before = file.lstat()
    started = live.run("up", "-d")
    assert started.returncode == 0, started.stderr
    assert f"warning: cannot read `{file}`: it is " in started.stderr
    assert "warning: cannot remember the number of this directory: " in started.stderr
    for words in (("ls", "--all"), ("prune", "--dry-run"), ("doctor",)):
        done = live.run(*words)
        assert f"cannot read `{file}`: it is " in done.stderr + done.stdout, words
        assert "Traceback" not in done.stderr
    assert live.run("down").returncode == 0
    after = file.lstat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)
    assert not (live.folder / "precious").exists()


def test_a_memory_of_many_folders_is_kept_whole(stack: Make) -> None:
    live = stack({"web": SLEEPS})
    live.state.mkdir(mode=0o700)
    many = [
        {"stack": "s", "folder": f"/{'x' * 60}/{number}", "instance": number, "used": 1.0} for number in range(1, 2001)
    ]
    (live.state / "folders.json").write_text(json.dumps(many))
    assert (live.state / "folders.json").stat().st_size > 1 << 16
    with live.up():
        assert len(json.loads((live.state / "folders.json").read_text())) == 2001


@needs_root
@pytest.mark.parametrize("free", [0, 4096, 8192])
def test_a_state_disk_that_is_nearly_full_leaves_the_memory_whole(stack: Make, free: int) -> None:
    live = stack({"web": SLEEPS})
    with small_disk(live.state, "size=128k") as disk:
        many = [{"stack": "s", "folder": f"/f/{number}", "instance": number, "used": 1.0} for number in range(1, 301)]
        (disk / "folders.json").write_text(json.dumps(many))
        filler = fill(disk)
        os.truncate(filler, filler.stat().st_size - free)
        started = live.run("up", "-d")
        assert started.returncode == 0, started.stderr
        assert "warning: cannot remember the number of this directory: cannot write" in started.stderr
        assert "its disk is full" in started.stderr
        assert json.loads((disk / "folders.json").read_text()) == many
        assert live.run("down").returncode == 0
        assert json.loads((disk / "folders.json").read_text()) == many
        assert [path.name for path in disk.iterdir() if path.name.endswith(".new")] == []


@needs_root
def test_an_endpoints_file_that_does_not_fit_stays_whole_and_follows_later(stack: Make) -> None:
    ports = free_pool(3)
    live = stack({"web": {"command": program("listens"), "pool": list(ports)}})
    live.env["PORTSUP_HANG_TIMEOUT"] = "3"  # the regular check comes each second
    with small_disk(live.runtime, "size=256k") as disk, live.up():
        before = live.endpoints()
        filler = fill(disk)
        assert live.rotate("web")["ok"]
        (told,) = live.journal("endpoints file not written")
        assert (told["why"], "every 10 s" in told["hint"]) == ("its disk is full", True)
        assert live.endpoints() == before, "the old one, whole"
        assert [path.name for path in disk.iterdir() if path.name.endswith(".new")] == []
        filler.unlink()
        eventually(lambda: live.endpoints()["web"]["port"] == live.rows()["web"]["port"], within=20)
        assert live.journal("file written again")


@needs_root
def test_a_rendered_file_that_does_not_fit_stays_whole_and_follows_later(stack: Make) -> None:
    ports = free_pool(3)
    place = "out"
    live = stack(
        {"web": {"command": program("listens"), "pool": list(ports)}},
        render=[{"template": "template", "to": f"{place}/ports"}],
    )
    (live.folder / "template").write_text("port {port:web} " + "y" * 9000)
    live.env["PORTSUP_HANG_TIMEOUT"] = "3"
    with small_disk(live.folder / place, "size=64k") as disk, live.up():
        before = (disk / "ports").read_text()
        assert str(ports[0]) in before
        filler = fill(disk)
        assert live.rotate("web")["ok"]
        eventually(lambda: live.journal("file not rendered"), what="words on it")
        assert (disk / "ports").read_text() == before
        assert sorted(path.name for path in disk.iterdir()) == ["filler", "ports"]
        filler.unlink()
        eventually(lambda: str(ports[1]) in (disk / "ports").read_text(), within=20)


@needs_root
def test_init_leaves_no_half_of_a_file_on_a_full_disk(stack: Make) -> None:
    live = stack({"web": SLEEPS})
    with small_disk(live.folder / "d", "size=32k") as disk:
        (disk / "Procfile").write_text("".join(f"web{number}: serve --port {number}\n" for number in range(8000, 8040)))
        (disk / "old.yaml").write_text("# mine\n")
        fill(disk)
        for words in (("-o", "new.yaml"), ("-o", "old.yaml", "--force")):
            done = subprocess.run(
                live.command("init", "--from", "Procfile", *words),
                cwd=disk,
                env=live.env,
                capture_output=True,
                text=True,
            )
            assert (done.returncode, "No space left on device" in done.stderr) == (1, True), done.stderr
            assert sorted(path.name for path in disk.iterdir()) == ["Procfile", "filler", "old.yaml"]
        assert (disk / "old.yaml").read_text() == "# mine\n"


@pytest.mark.parametrize("kind", PLANTED)
def test_init_replaces_nothing_but_a_file(stack: Make, kind: str) -> None:
    live = stack({"web": SLEEPS})
    (live.folder / "precious").write_text("kept")
    plant(live.folder / "out.yaml", kind, live.folder / "precious")
    for words in (("-o", "out.yaml"), ("-o", "out.yaml", "--force")):
        done = live.run("init", *words)
        if kind != "directory":  # there it goes into it
            assert (done.returncode, "hint: " in done.stderr) == (1, True), done.stderr
    assert (live.folder / "precious").read_text() == "kept"
    assert not stat.S_ISREG((live.folder / "out.yaml").lstat().st_mode)
