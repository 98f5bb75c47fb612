"""Mistakes of the user: found before anything runs, or said in words, with the right exit code and no traceback."""

import subprocess
import sys

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

WRONG = {
    "unknown key": b"services: {web: {command: x, prot: 1}}",
    "no services": b"name: t\n",
    "tabs": b"services:\n\tweb: {command: x}\n",
    "bad UTF-8": b"services: {web: {command: \xff\xfe}}\n",
    "empty": b"",
    "a list": b"- services\n",
    "a circle": b"services: {a: {command: x, depends_on: [b]}, b: {command: x, depends_on: [a]}}",
    "overlap": b"services: {a: {command: x, pool: [28001]}, b: {command: x, pool: [28001]}}",
    "not closed": b"services: {web: {command: [x}",
    "duplicate": b"services: {web: {command: x}, web: {command: y}}",
    "deep": b"[" * 20000,
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_a_file_that_makes_no_sense_ends_with_2_and_starts_nothing(stack: Make, text: bytes) -> None:
    live = stack({})
    (live.folder / "services.yaml").write_bytes(text)
    done = live.run("up")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert "services.yaml" in done.stderr
    assert live.infos() == []
    assert not (live.runtime / "instances").exists() or not any((live.runtime / "instances").iterdir())


def test_every_mistake_is_told_at_once_also_with_up_in_the_background(stack: Make) -> None:
    live = stack({"web": {"comand": "x", "pool": [70000]}, "api": {"command": "x", "restart": "sometimes"}})
    for words in (["up"], ["up", "-d"], ["up", "--dry-run"], ["config", "check"]):
        done = live.run(*words)
        assert done.returncode == 2, done.stderr
        for wrong in ("comand", "70000", "sometimes"):
            assert wrong in done.stderr, words
        assert "services.yaml:" in done.stderr


def test_no_file_at_all_says_where_it_was_looked_for(stack: Make) -> None:
    live = stack({})
    (live.folder / "services.yaml").unlink()
    done = live.run("up")
    assert done.returncode == 2, done.stderr
    assert "services.yaml" in done.stderr
    (live.folder / "services.yaml").mkdir()
    done = live.run("up")
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_that_is_not_found_is_said_with_what_to_do_and_the_port_is_kept(stack: Make) -> None:
    pool = free_pool(3)
    live = stack({"web": {"command": ["no-such-program", "--x"], "pool": list(pool)}, "good": SLEEPS})
    with live.foreground() as up:
        up.says("1 of its services failed")
        assert "error: web: cannot start: " in up.err
        assert "no-such-program" in up.err
        row = live.rows()["web"]
        assert (row["state"], row["result"], row["restarts"]) == ("failed", "spawn-failed", 0)
        assert [entry["state"] for entry in row["pool"]][1:] == ["spare", "spare"]
        up.send(15)
        assert up.ends() == 10


HOW = ["missing directory", "not executable", "a directory", "no such interpreter", "no format"]


@pytest.mark.parametrize("how", HOW)
def test_a_command_that_cannot_run_is_a_failed_service_and_exit_code_10(stack: Make, how: str) -> None:
    live = stack({})
    script = live.folder / "script"
    script.write_text("#!/no/such/interpreter\n" if "interpreter" in how else "hello\n")
    script.chmod(0o644 if how == "not executable" else 0o755)
    service: dict[str, object] = {"command": [str(script)]}
    match how:
        case "missing directory":
            service = {"command": ["sleep", "1"], "working_dir": "nowhere"}
        case "a directory":
            service = {"command": [str(live.folder)]}
    live.write({"web": service})
    done = live.run("up")
    assert done.returncode in (2, 10), done.stderr
    assert done.returncode == 10 or how == "missing directory", done.stderr
    assert "Traceback" not in done.stderr
    said = {"missing directory": "nowhere", "no such interpreter": "/no/such/interpreter"}.get(how, str(live.folder))
    assert said in done.stderr


def test_a_module_that_does_not_exist_fails_with_the_words_of_the_interpreter(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": [sys.executable, "-m", "no_such_module"], "pool": [port], "restart": "never"}})
    done = live.run("up")
    assert done.returncode == 10, done.stderr
    assert "  | " in done.stderr
    assert "No module named no_such_module" in done.stderr


def test_what_was_typed_wrongly_is_said_without_starting_anything(stack: Make) -> None:
    live = stack({"web": SLEEPS})
    for words in (["up", "--wait-timeout", "0"], ["up", "--wait-timeout", "soon"], ["up", "--no-such"], ["upp"]):
        done = live.run(*words)
        assert done.returncode == 2, (words, done.stderr)
        assert "Traceback" not in done.stderr
    assert live.infos() == []


def test_out_of_descriptors_is_said_in_words(stack: Make) -> None:
    live = stack({f"web{n}": {"command": program("listens"), "pool": list(free_pool(5))} for n in range(6)})
    limited = ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh", *live.command("up")]
    done = subprocess.run(limited, cwd=live.folder, env=live.env, capture_output=True, text=True, timeout=20)
    assert done.returncode in (1, 12), done.stderr
    assert "too many open files" in done.stderr
    assert "Traceback" not in done.stderr
