"""Places where something is missing or in the way: descriptors, /dev/null, files of the runtime directory."""

import subprocess

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS
from tests.live.test_hard_places import needs_root
from tests.support.planted import PLANTED, plant
from tests.support.ports import free_pool
from tests.support.rounds import each_once
from tests.support.running import program

pytestmark = pytest.mark.live


@pytest.mark.parametrize("limit", [8, 16, 31])
@pytest.mark.parametrize("words", [("up",), ("up", "-d"), ("exec", "--", "true"), ("lease", "24000", "--", "true")])
def test_too_few_descriptors_for_anything_are_said_in_a_sentence(
    stack: Make, limit: int, words: tuple[str, ...]
) -> None:
    live = stack({"web": SLEEPS})
    done = subprocess.run(
        ["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", *live.command(*words)],
        cwd=live.folder, env=live.env, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert f"a process may have only {limit} files open here" in done.stderr
    assert "hint: raise the limit, as in `ulimit -n 8192`" in done.stderr
    assert "Traceback" not in done.stderr


NULLS = {
    "missing": "true",
    "file": "touch /dev/null",
    "directory": "mkdir /dev/null",
    "closed": "mknod -m 666 /dev/null c 1 3 && mount -o remount,nodev /dev",
    "other": "mknod -m 666 /dev/null c 250 99",
}


@needs_root
@pytest.mark.parametrize(
    ("null", "words"), each_once(list(NULLS), [("up",), ("up", "-d"), ("exec", "--", "true"), ("doctor",)])
)
def test_a_place_without_dev_null_is_refused_in_a_sentence(stack: Make, null: str, words: tuple[str, ...]) -> None:
    live = stack({"web": SLEEPS})
    script = f'mount -t tmpfs none /dev && ln -s /proc/self/fd /dev/fd && {NULLS[null]} && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *live.command(*words)],
        cwd=live.folder, env=live.env, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    said = done.stdout if words == ("doctor",) else done.stderr
    assert "/dev/null" in said
    assert "mknod -m 666 /dev/null c 1 3" in said or "`nodev`" in said
    assert "Traceback" not in done.stderr
    assert live.instances() == []


@pytest.mark.parametrize("words", [("up",), ("up", "-d"), ("exec", "--", "true")])
def test_a_process_that_may_write_nothing_says_so_and_leaves_nothing(stack: Make, words: tuple[str, ...]) -> None:
    live = stack({"web": SLEEPS})
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *live.command(*words)],
        cwd=live.folder, env=live.env, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "it would be larger than this process may write" in done.stderr
    assert "hint: raise the limit: `ulimit -f unlimited`" in done.stderr
    live.leaves_nothing()


@needs_root
@pytest.mark.parametrize(
    ("name", "kind"),
    each_once(["ports/{}.lock", "ports/{}.json", "instances/t-1.lock", "instances/t-1.json"], PLANTED),
)
def test_what_lies_in_the_place_of_a_lock_or_record_is_named(stack: Make, name: str, kind: str) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens"), "pool": [port]}})
    (live.folder / "precious").write_text("kept")
    live.runtime.mkdir(mode=0o700)
    path = live.runtime / name.format(port)
    plant(path, kind, live.folder / "precious")
    done = live.run("up", "-d")
    assert done.returncode == 1, done.stderr
    assert f"`{path}`: it is " in done.stderr
    assert "hint: remove what is there" in done.stderr
    for words in (("ls",), ("prune", "--yes"), ("doctor",)):
        assert live.run(*words).returncode in (0, 1), words
    assert (live.folder / "precious").read_text() == "kept"
    assert live.instances() == []
