"""Which changes of files count, and for whom."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from supervisor.config.spec import ServiceSpec, Watch
from supervisor.daemon.automatic.file_watcher import LARGEST, Ignoring, concerned
from supervisor.doctor.finding import Level
from supervisor.doctor.watched_files import check_watched
from tests.support.running import LONG


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with a service in a folder of it."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("*.log\n/app/build/\n")
    (tmp_path / "app/src").mkdir(parents=True)
    (tmp_path / "app/.gitignore").write_text("!keep.log\nsecret\n")
    return tmp_path / "app"


@pytest.mark.parametrize(
    ("path", "is_ignored"),
    [
        ("src/a.py", False),
        ("src/a.log", True),  # by the file of the repository
        ("src/keep.log", False),  # which the one below it takes back
        ("build/a.js", True),
        ("src/build/a.js", False),  # that pattern is of one folder
        ("secret/a", True),
        ("src/a.tmp", True),  # by `ignore`
        ("a.tmpx", False),
    ],
)
def test_what_gitignore_and_ignore_name_does_not_count(folder: Path, path: str, is_ignored: bool) -> None:
    assert Ignoring(str(folder), ["*.tmp"])(str(folder / path)) is is_ignored


def test_a_gitignore_counts_also_without_a_repository_and_when_it_has_changed(folder: Path) -> None:
    shutil.rmtree(folder.parent / ".git")
    ignoring = Ignoring(str(folder), [])
    assert not ignoring(str(folder / "src/a.log"))
    assert ignoring(str(folder / "secret"))
    (folder / ".gitignore").write_text("*.py\n")
    os.utime(folder / ".gitignore", (1, 1))
    assert not ignoring(str(folder / "secret"))
    assert ignoring(str(folder / "src/a.py"))


@pytest.mark.parametrize("line", ["!", "\\", "a\\", "[z-a]", "*a" * 30 + "b"])
def test_a_line_that_is_no_pattern_or_takes_too_long_ignores_nothing(folder: Path, line: str) -> None:
    (folder / ".gitignore").write_text(f"{line}\n**/x*y*z*\n")
    ignoring = Ignoring(str(folder), ["[z-a]", "*.tmp"])
    begun = time.monotonic()
    assert not ignoring(str(folder / ("a" * 200)))
    assert ignoring(str(folder / "src/xyz"))
    assert ignoring(str(folder / "a.tmp"))
    assert time.monotonic() - begun < 5


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs in folders")
@pytest.mark.parametrize("kind", ["fifo", "device", "directory", "large"])
def test_what_is_no_gitignore_of_a_usual_size_counts_as_none(folder: Path, kind: str) -> None:
    path = folder / ".gitignore"
    path.unlink()
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "directory":
            path.mkdir()
        case "large":
            path.write_text("secret\n" + "#" * LARGEST)
    ignoring = Ignoring(str(folder), [])
    assert not ignoring(str(folder / "secret"))
    assert ignoring(str(folder / "src/a.log")), "by the one above it"


def task(folder: Path, **services: list[str]) -> dict[str, Any]:
    told = {
        name: {"root": str(folder), "paths": [str(folder / path) for path in paths], "ignore": []}
        for name, paths in services.items()
    }
    return {"step": 50, "longest": 1000, "services": told}


def test_a_change_concerns_those_below_whose_paths_it_is(folder: Path) -> None:
    given = task(folder, web=["src"], all=["."], one=["src/a.py"], other=["sr"])
    given["services"]["all"]["paths"] = [str(folder)]
    ignoring = {name: Ignoring(str(folder), []) for name in given["services"]}
    changed = [str(folder / path) for path in ("src/a.py", "src/b.py", "c.log")]
    assert concerned(given, ignoring, changed) == {
        "web": ["src/a.py", "src/b.py"], "all": ["src/a.py", "src/b.py"], "one": ["src/a.py"]
    }  # fmt: skip


def watcher(given: dict[str, Any], *before: str) -> subprocess.CompletedProcess[str]:
    argv = [*before, sys.executable, "-m", "supervisor.daemon.automatic.file_watcher", json.dumps(given)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=LONG, check=False)


@pytest.mark.live
def test_a_path_that_is_not_there_is_named(folder: Path) -> None:
    done = watcher(task(folder, web=["nowhere"]))
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout) == {"service": "web", "error": f"there is no `{folder / 'nowhere'}`"}


@pytest.mark.live
@pytest.mark.parametrize(
    ("limit", "remedy"), [("max_inotify_watches", "max_user_watches"), ("max_inotify_instances", "max_user_instances")]
)
def test_a_limit_of_the_system_that_is_reached_is_named_with_the_remedy(folder: Path, limit: str, remedy: str) -> None:
    inside = ["unshare", "-Ur", "sh", "-c", f'echo 0 > /proc/sys/user/{limit} && exec "$@"', "sh"]
    if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no user namespaces here")
    done = watcher(task(folder, web=["src"]), *inside)
    assert (done.returncode, done.stderr) == (1, "")
    told = json.loads(done.stdout)
    assert "the limit of the system" in told["error"]
    assert f"`sudo sysctl fs.inotify.{remedy}=" in told["hint"]


def test_doctor_counts_the_directories_and_names_the_limit(folder: Path, tmp_path: Path) -> None:
    spec = ServiceSpec("web", ("a",), (), working_dir=folder, watch=Watch((".", "src", "gone")))
    limit = tmp_path / "limit"
    limit.write_text("2\n")
    missing, scarce = check_watched({"web": spec}, str(limit))
    assert (missing.level, f"`{folder / 'gone'}`, which is not there" in missing.what) == (Level.WARNING, True)
    assert scarce.what == "portsup would watch 2 directories, and the system allows one user 2 (inotify)"
    assert scarce.remedy.startswith("`sudo sysctl fs.inotify.max_user_watches=524288`")
    limit.write_text("1000\n")
    assert [each.level for each in check_watched({"web": spec}, str(limit))] == [Level.WARNING, Level.OK]
    assert list(check_watched({"web": ServiceSpec("web", ("a",), ())})) == []


def test_a_pattern_of_directories_names_the_directory_itself_too(folder: Path) -> None:
    (folder / ".gitignore").write_text("__pycache__/\ndist/\n")
    (folder / "src/__pycache__").mkdir()
    (folder / "src/dist").write_text("a file is none")
    ignoring = Ignoring(str(folder), ["node_modules/"])
    assert ignoring(str(folder / "src/__pycache__")), "it was made"
    assert ignoring(str(folder / "node_modules")), "it is gone"
    assert ignoring(str(folder / "src/gone/__pycache__"))
    assert not ignoring(str(folder / "src/dist"))
    assert not ignoring(str(folder / "src"))
