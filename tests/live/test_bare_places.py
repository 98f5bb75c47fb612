"""Places without what a supervisor cannot do without: descriptors, /dev/null."""

import subprocess

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS
from tests.live.test_hard_places import needs_root

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


@needs_root
@pytest.mark.parametrize("null", ["true", "touch /dev/null", "mkdir /dev/null"], ids=["missing", "file", "directory"])
@pytest.mark.parametrize("words", [("up",), ("up", "-d"), ("exec", "--", "true")])
def test_a_place_without_dev_null_is_refused_in_a_sentence(stack: Make, null: str, words: tuple[str, ...]) -> None:
    live = stack({"web": SLEEPS})
    script = f'mount -t tmpfs none /dev && ln -s /proc/self/fd /dev/fd && {null} && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *live.command(*words)],
        cwd=live.folder, env=live.env, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "/dev/null" in done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr
    assert live.instances() == []
