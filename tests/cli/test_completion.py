"""`portsup completion`: the scripts complete in the shells they are for."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.needed import need_program

pytestmark = pytest.mark.live

CASES = [
    ("portsup sta", {"start", "status"}),
    ("portsup status --fo", {"--format"}),
    ("portsup status --format ", {"table", "json", "wide"}),
    ("portsup --instance 2 config ", {"check", "show"}),
    ("portsup completion z", {"zsh"}),
    ("portsup port w", {"web", "worker"}),
    ("portsup restart web wo", {"worker"}),
    ("portsup logs -f wor", {"worker"}),
    ("portsup --file x kill -s TERM web we", {"web"}),
    ("portsup --instance ", {"1", "12"}),
    ("portsup status --instance 1", {"1", "12"}),
    ("portsup kill -s T", {"TERM"}),
    ("portsup exec --ha", {"--handoff"}),
    ("portsup lease --n", {"--name"}),
    ("portsup reload --dr", {"--dry-run"}),
    ("portsup events -f wo", {"worker"}),
    ("portsup why wo", {"worker"}),
    ("portsup wait --for he", {"healthy"}),
    ("portsup wait we", {"web"}),
    ("portsup graph --format m", {"mermaid"}),
    ("portsup doctor --a", {"--all"}),
    ("portsup prune --y", {"--yes"}),
]
NOTHING_RUNS = [("portsup up w", {"web", "worker"}), ("portsup start wo", {"worker"}), ("portsup --instance ", set())]
BASH = """
source "$SCRIPT"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_shtab_portsup portsup "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def words_of(line: str) -> list[str]:
    return line.split(" ")


def shell_with(own_folders: Path, script: str, is_running: bool = True) -> dict[str, str]:
    """An environment in which the script is $SCRIPT, and `portsup` knows two services, and instances that run."""
    programs = own_folders / "bin"
    programs.mkdir()
    answers = {"status --quiet": "web\\nworker\\n", "ls --quiet": "1\\n12\\n"} if is_running else {}
    answers |= {} if is_running else {"config show --services": "web\\nworker\\n"}
    cases = [f'[ "$*" = "{words}" ] && printf "{answer}" && exit 0' for words, answer in answers.items()]
    (programs / "portsup").write_text("\n".join(["#!/bin/sh", *cases, "exit 4\n"]))
    (programs / "portsup").chmod(0o755)
    (own_folders / "script").write_text(script)
    return os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "SCRIPT": str(own_folders / "script")}


@pytest.mark.parametrize(("cases", "is_running"), [(CASES, True), (NOTHING_RUNS, False)], ids=["up", "down"])
def test_bash_completes(run: Run, own_folders: Path, cases: list[tuple[str, set[str]]], is_running: bool) -> None:
    need_program("bash")
    environment = shell_with(own_folders, run("completion", "bash").out, is_running)
    for line, expected in cases:
        command = ["bash", "-c", BASH, "bash", *words_of(line)]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)
        assert ran.stderr == ""
        assert set(ran.stdout.split()) == expected, line


@pytest.mark.parametrize(("cases", "is_running"), [(CASES, True), (NOTHING_RUNS, False)], ids=["up", "down"])
def test_fish_completes(run: Run, own_folders: Path, cases: list[tuple[str, set[str]]], is_running: bool) -> None:
    need_program("fish")
    environment = shell_with(own_folders, run("completion", "fish").out, is_running) | {"HOME": str(own_folders)}
    for line, expected in cases:
        command = ["fish", "--private", "-c", f"source $SCRIPT; complete -C '{line}'"]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)
        assert ran.stderr == ""
        assert {one.split("\t")[0] for one in ran.stdout.splitlines()} == expected, line


@pytest.mark.parametrize(("shell", "check"), [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")])
def test_the_script_is_one_of_its_shell(shell: str, check: str, run: Run, own_folders: Path) -> None:
    need_program(shell)
    ran = run("completion", shell)
    assert (ran.code, ran.err) == (0, "")
    script = own_folders / "script"
    script.write_text(ran.out)
    checked = subprocess.run([shell, check, script], capture_output=True, text=True, timeout=20, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_zsh_repeats_an_argument_that_may_be_repeated(run: Run) -> None:
    script = run("completion", "zsh").out
    assert '  "*:print only these services:_portsup_services"' in script
    assert '"(*):' not in script
