"""Every signal that can be caught, sent to each process of ours: none ends services without a stop."""

import os
import signal
import subprocess
from functools import partial
from pathlib import Path

import pytest

from supervisor.process.signals import HARMLESS, OF_THE_TERMINAL, STOPPING
from tests.live.conftest import Make
from tests.live.stack import Live, notes, parent_of
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.rounds import each_once

pytestmark = pytest.mark.live

NOBODY_CATCHES = {signal.SIGKILL, signal.SIGSTOP}
EVERY = sorted(signal.valid_signals() - NOBODY_CATCHES)
IGNORED = [number for number in EVERY if number not in STOPPING and number not in OF_THE_TERMINAL]
TARGETS = ("guardian", "daemon")


def named(number: int | str) -> str:
    """What a signal, or else a target, is called."""
    if isinstance(number, str):
        return number
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"


def pid_of(live: Live, target: str) -> int:
    daemon = live.daemon()
    return daemon if target == "daemon" else parent_of(daemon)


def arrived(pid: int, number: int) -> bool:
    """Whether a signal waits for a process that blocks it, or was dropped because it does nothing, proc(5)."""
    lines = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    waiting = int(lines["ShdPnd"], 16) | int(lines["SigPnd"], 16)
    caught_or_not = int(lines["SigCgt"], 16) | int(lines["SigIgn"], 16)
    return bool((waiting | caught_or_not) >> number - 1 & 1) or number in HARMLESS


def has_line(file: Path, number: int) -> bool:
    return f"\n{number}\n" in file.read_text()


def test_the_table_has_every_signal_of_this_system() -> None:
    table = (Path(__file__).parents[2] / "docs" / "reference" / "signals.md").read_text()
    missing = [named(number) for number in EVERY if number < signal.SIGRTMIN and named(number) not in table]
    assert (missing, "SIGRTMIN" in table, "SIGRTMAX" in table) == ([], True, True)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("is_detached", [False, True], ids=["foreground", "background"])
def test_signals_that_mean_nothing_do_nothing(stack: Make, tmp_path: Path, target: str, is_detached: bool) -> None:
    live = stack({"web": notes(tmp_path / "notes")})
    with live.up() if is_detached else live.foreground() as up:
        live.until("web", state="running")
        pid, web = pid_of(live, target), live.rows()["web"]["pid"]
        for number in IGNORED:
            os.kill(pid, number)
            eventually(partial(arrived, pid, number), what=f"{named(number)} at the {target}")
            assert live.rows()["web"]["pid"] == web, f"{named(number)} to the {target}"
        assert live.do("restart", "web")["web"]["ok"], "the child of a process with blocked signals begins without"
        live.until("web", state="running")
        assert live.run("down").returncode == 0
        if not is_detached:
            assert up.ends() == 0  # type: ignore[union-attr]
    assert (tmp_path / "notes").read_text().split().count("ended") == 2, "it was stopped, not killed"


@pytest.mark.parametrize(("target", "number"), each_once(TARGETS, STOPPING), ids=named)
def test_signals_that_stop_do_so_in_order(stack: Make, tmp_path: Path, target: str, number: int) -> None:
    live = stack({"web": notes(tmp_path / "notes", 0.05)})
    with live.foreground() as up:
        up.says("is up")
        os.kill(pid_of(live, target), number)
        assert up.ends() == 0
        assert f"stopping ({named(number)})" in up.err
    assert (tmp_path / "notes").read_text().split().count("ended") == 1
    live.leaves_nothing()


@pytest.mark.parametrize(("target", "number"), each_once(TARGETS, STOPPING), ids=named)
def test_in_the_background_a_hangup_reloads_and_the_others_stop(
    stack: Make, tmp_path: Path, target: str, number: int
) -> None:
    live = stack({"web": notes(tmp_path / "notes", 0.05)})
    with live.up():
        os.kill(pid_of(live, target), number)
        if number == signal.SIGHUP:
            eventually(lambda: live.journal("reloaded") or live.journal("nothing changed"), what="the reload")
            assert live.rows()["web"]["state"] == "running"
            return
        live.ended()
    assert (tmp_path / "notes").read_text().split().count("ended") == 1


@pytest.mark.parametrize("is_detached", [False, True], ids=["foreground", "background"])
def test_under_nohup_a_hangup_stops_nothing(stack: Make, tmp_path: Path, is_detached: bool) -> None:
    live = stack({"web": notes(tmp_path / "notes")})
    words = ["up", "-d"] if is_detached else ["up"]
    started = subprocess.Popen(
        ["nohup", *live.command(*words)], cwd=live.folder, env=live.env, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    live.until("web", state="running")
    eventually(lambda: live.journal("service ready"), what="the start")
    if is_detached:
        assert started.wait(20) == 0
    os.kill(pid_of(live, "guardian"), signal.SIGHUP)
    if is_detached:
        eventually(lambda: live.journal("reloaded") or live.journal("nothing changed"), what="the reload")
    assert live.rows()["web"]["state"] == "running"
    assert live.run("down").returncode == 0
    assert started.wait(20) == 0
    assert (tmp_path / "notes").read_text().split().count("ended") == 1


@pytest.mark.parametrize("number", [signal.SIGPWR, signal.SIGXCPU, signal.SIGABRT], ids=named)
def test_once_more_of_what_no_hand_sends_does_not_hurry(stack: Make, tmp_path: Path, number: int) -> None:
    live = stack({"web": notes(tmp_path / "notes", 1.0)})
    with live.foreground() as up:
        up.says("is up")
        daemon = live.daemon()
        for _ in range(5):
            os.kill(daemon, number)
            live.rows()
        assert up.ends() == 0
    assert (tmp_path / "notes").read_text().split().count("ended") == 1


@pytest.mark.parametrize("target", TARGETS)
def test_job_control_stops_nobody_but_the_guardian(stack: Make, tmp_path: Path, target: str) -> None:
    live = stack({"web": notes(tmp_path / "notes")})
    with live.foreground() as up:
        up.says("is up")
        pid = pid_of(live, target)
        for number in OF_THE_TERMINAL:
            os.kill(pid, number)
            assert live.rows()["web"]["state"] == "running", named(number)
            os.kill(pid, signal.SIGCONT)
        assert live.run("down").returncode == 0
        assert up.ends() == 0


def test_who_waits_for_a_start_in_the_background_ignores_what_means_nothing(stack: Make, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    live = stack({"web": {"command": ["sleep", "99"], "ready": {"exec": ["test", "-e", str(gate)]}}})
    waiting = live.popen("up", "-d", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually(lambda: live.rows().get("web", {}).get("state") == "starting", within=20)
    for number in IGNORED:
        waiting.send_signal(number)
        assert waiting.poll() is None, named(number)
    gate.touch()
    assert waiting.wait(20) == 0
    assert live.run("down").returncode == 0


def test_services_begin_with_default_dispositions_and_nothing_blocked(stack: Make, tmp_path: Path) -> None:
    state = "grep -E '^Sig(Blk|Ign)' /proc/self/status > {}"

    def into(name: str) -> list[str]:
        return ["sh", "-c", f"exec {state.format(tmp_path / name)}"]

    web = {
        "command": ["sh", "-c", f"{state.format(tmp_path / 'service')}; exec sleep 99"],
        "hooks": {"pre_start": into("hook")},
        "healthcheck": {"exec": into("probe"), "interval": "100ms"},
    }
    other = {"command": into("account"), "one_shot": True, "user": "root"}
    live = stack({"web": web, **({"job": other} if os.getuid() == 0 else {})})
    pool = ",".join(map(str, free_pool(2)))
    with live.up():
        assert live.run("exec", "--pool", pool, "--", *into("exec")).returncode == 0
        names = ["service", "hook", "probe", "exec", *(["account"] if os.getuid() == 0 else [])]
        for name in names:
            text = eventually((tmp_path / name).read_text, what=name)
            # 32 and 33 are the C library's own, and no program of ours could change them.
            masks = {int(line.split()[1], 16) & ~(3 << 31) for line in text.splitlines()}
            assert masks == {0}, f"{name}: {text}"
