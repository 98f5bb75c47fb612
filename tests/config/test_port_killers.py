"""Commands that kill whoever has a port: portsup has it."""

from pathlib import Path

import pytest

from supervisor.config import port_killers
from supervisor.config.load import load


@pytest.mark.parametrize(
    ("script", "rest"),
    [
        ("lsof -ti :4010 | xargs kill 2>/dev/null; serve", "serve"),
        ("kill -9 $(lsof -t -i:3000) || true && npm start", "npm start"),
        ("npx kill-port 3000 && next dev", "next dev"),
        ("fuser -k 3000/tcp; node x", "node x"),
        ("fuser -n tcp -k 3000 >/dev/null 2>&1 && node x", "node x"),
        ("echo hi && lsof -ti:3000 | xargs -r kill -9 || true; node x", "echo hi && node x"),
        ("kill `lsof -ti:3000`; node x", "node x"),
        ("sudo lsof -t -i tcp:80 | awk '{print $1}' | xargs kill; x", "x"),
        ("lsof -nP -iTCP:80 2>&1 | grep x | sudo xargs -r -n 1 -I {} sh -c 'kill {}'; x", "x"),
        ("fuser --kill $PORT/tcp; x", "x"),
        ("echo 'kill; it'; kill-port 3000; x", "echo 'kill; it'; x"),
        ("cat <<A\nkill-port 1; x\nA\nkill-port 2; x", "cat <<A\nkill-port 1; x\nA\nx"),
        ("set -e\nlsof -ti :1 | xargs kill || echo none\nexec x", "set -e\nexec x"),
    ],
)
def test_a_command_that_kills_whoever_has_a_port_is_found_and_left_out(script: str, rest: str) -> None:
    assert port_killers.without(script)[0] == rest
    assert port_killers.in_script(script)
    assert not port_killers.in_script(rest)


@pytest.mark.parametrize(
    "script",
    [
        "lsof -i | grep LISTEN; x", "node kill-port.js && x", "fuser -v 3000/tcp; x", "kill 4; x",
        "lsof /tmp/x-i | awk '{print $2}' | xargs kill; x", "kill $(lsof -t /run/x); x", "lsof -i | tee kill.txt; x",
        "echo 'stop it; kill-port 3000'; x", 'printf "a\n kill-port 3000\n"; x', "# kill-port 1; kill-port 2; x\nx",
        "# don't; x\necho \"or; kill-port 3000; y\"; z", "cat <<EOF > stop.sh\nkill-port 3000\nnode x\nEOF\nx",
        "cat <<-'END'\n  fuser -k 3000/tcp; x\n  END\nx",
        "lsof -i | xargs echo kill; x", "fuser -k /dev/ttyUSB0; x", "fuser -mk /mnt/tcp-logs; x",
    ],
)  # fmt: skip
def test_other_commands_are_none(script: str) -> None:
    assert port_killers.without(script) == (script, "")
    assert port_killers.in_script(script) == ""


@pytest.mark.parametrize(
    "script",
    ["bash -c 'cd x; kill-port 3000; serve'", 'sh -ec "a && kill-port 3000"', "bash -s <<EOF\nkill-port 3000\nEOF",
     "eval 'a; kill-port 3000'"],
)  # fmt: skip
def test_one_in_a_text_that_a_shell_runs_is_found(script: str) -> None:
    assert port_killers.in_script(script)


def test_one_that_no_command_follows_is_a_task_and_stays() -> None:
    script = "lsof -ti:3000 | xargs kill -9"
    assert port_killers.without(script) == (script, "")


def test_a_long_script_is_not_searched() -> None:
    assert port_killers.in_script("kill-port 1; " + "x " * port_killers.LONGEST) == ""


@pytest.mark.parametrize("command", ['[sh, -c, "lsof -ti :8000 | xargs kill; exec serve"]', '[npx, kill-port, "8000"]'])
def test_config_check_warns_of_one_written_by_hand(tmp_path: Path, command: str) -> None:
    text = f"services:\n  web:\n    command: {command}\n    pool: 8000-8002\n"
    warnings = load(tmp_path / "services.yaml", {}, ephemeral=(), text=text).warnings
    assert [each for each in warnings if "kills whoever has a port, and that is portsup" in each]
