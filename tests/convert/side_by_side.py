"""A case of the corpus run by the program that it was written for, and by portsup, in folders of their own."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.convert.corpus_cases import Case
from tests.convert.foreground import PATIENCE, running
from tests.support.eventually import eventually

ROOT = Path(__file__).parents[2]
TOOLS = Path(os.environ.get("CONVERT_TOOLS", ROOT / "build" / "convert-tools"))
PROGRAMS = Path(__file__).parent / "programs"
PID_MAX = Path("/proc/sys/kernel/pid_max")
# Programs that run as themselves.
REAL = ("sh", "bash", "env", "node", "cd", "exec", "while", "do", "true", "echo", "source", "set", "export")
_SCRIPT = re.compile(r"[\w./-]+\.(?:js|py|sh)")


@dataclass(frozen=True)
class Ran:
    """What was started, in the order of its start, and what ended it."""

    started: list[dict[str, Any]]
    stopped: dict[str, list[str]]


def tool(source: str) -> list[str]:
    """The command of a source's own program, empty where it is not installed."""
    paths = {
        "procfile": TOOLS / "python" / "bin" / "honcho",
        "supervisord": TOOLS / "python" / "bin" / "supervisord",
        "circus": TOOLS / "python" / "bin" / "circusd",
        "pm2": TOOLS / "npm" / "node_modules" / ".bin" / "pm2",
        "mprocs": TOOLS / "npm" / "node_modules" / ".bin" / "mprocs",
    }
    path = paths.get(source)
    return [str(path)] if path and path.exists() else []


def prepared(case: Case, place: Path) -> Path:
    """The case in a folder of its own, with all programs that it names."""
    folder = shutil.copytree(case.folder, place / "here")
    programs = place / "bin"
    programs.mkdir()
    recorder = place / "recorder"
    recorder.write_text(f"#!{sys.executable} -ES\n" + (PROGRAMS / "recorder.py").read_text())
    recorder.chmod(0o755)
    for facts in case.services.values():
        inside = folder / str(facts.get("cwd", "."))
        inside.mkdir(parents=True, exist_ok=True)
        words = [word for told in facts["run"] for word in str(told).split()]
        for changed in re.findall(r"cd (\w+)", " ".join(words)):
            (folder / changed).mkdir(exist_ok=True)
        for word in words:
            _make(word.strip("'\""), inside, programs, recorder)
    for found in (*place.rglob("*"), place):
        with contextlib.suppress(OSError):
            found.chmod(0o755 if found.is_dir() else found.stat().st_mode | 0o444)
    return folder


def _make(word: str, inside: Path, programs: Path, recorder: Path) -> None:
    if _SCRIPT.fullmatch(word):
        path = inside / word
        path.parent.mkdir(parents=True, exist_ok=True)
        if word.endswith(".js"):
            shutil.copy(PROGRAMS / "recorder.js", path)
        elif word.endswith(".sh"):
            if path.exists() or path.is_symlink():
                path.unlink()
            path.symlink_to(recorder) if "/" in word else path.write_text(f'exec {recorder} {word} "$@"\n')
        else:
            shutil.copy(PROGRAMS / "recorder.py", path)
    elif re.fullmatch(r"\.{1,2}/[\w./-]+|[\w-]+/[\w-]+", word):
        path = inside / word
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.symlink_to(recorder)
    elif re.fullmatch(r"[A-Za-z][\w.-]*", word) and word not in REAL and not (programs / word).is_symlink():
        (programs / word).symlink_to(recorder)


def environment(place: Path, case: Case) -> dict[str, str]:
    """What both programs are started with."""
    system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {
        "PATH": f"{place / 'bin'}:{system}", "HOME": str(place), "LANG": "C.UTF-8", "TERM": "xterm",
        "RECORD": str(place / "record"), "PM2_HOME": str(place / "pm2"), **case.environ,
        "PORTSUP_RUNTIME_DIR": str(place / "run"), "PORTSUP_STATE_DIR": str(place / "state"),
    }  # fmt: skip


def records(place: Path) -> list[dict[str, Any]]:
    """All that was written down so far."""
    path = place / "record"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def expected(case: Case) -> int:
    """How many of its programs write down that they run."""
    wanted = 0
    for facts in case.services.values():
        words = [str(word) for word in facts["run"]]
        if _is_seen(words) and facts.get("autostart", True) is True:
            wanted += facts.get("replicas", 1)
    return wanted


def _is_seen(words: list[str]) -> bool:
    """Whether one of its programs writes down that it runs: in a shell, also one that comes after others."""
    firsts = re.split(r"&&|\|\||[;|\n]", words[2]) if words[1:2] == ["-c"] else words[:1]
    programs = [first.removeprefix("exec ").split()[0] for first in map(str.strip, firsts) if first]
    return any(program not in REAL for program in programs) or bool(_SCRIPT.search(" ".join(words)))


def by_its_own(case: Case, place: Path) -> Ran:
    """The case as the program of its source runs it."""
    folder = prepared(case, place)
    env, program, first = environment(place, case), tool(case.source), case.main()
    try:
        _run(case, folder, env, program, first)
    finally:
        _end_what_is_left(place)
    return _ran(place)


def _end_what_is_left(place: Path) -> None:
    """Circus ends the shell around a program, and leaves that running."""
    for each in records(place):
        with contextlib.suppress(OSError):
            if f"RECORD={place / 'record'}".encode() in Path(f"/proc/{each['pid']}/environ").read_bytes().split(b"\0"):
                os.kill(each["pid"], signal.SIGKILL)


def _run(case: Case, folder: Path, env: Mapping[str, str], program: list[str], first: str) -> None:
    place = folder.parent
    match case.source:
        case "procfile":
            with _foreground(
                [*program, "start", "-f", first, *([] if _tells_port(folder) else ["-p", "8000"])], folder, env, case
            ):
                pass
        case "supervisord":
            with _foreground([*program, "-n", "-c", _whole_conf(folder / first)], folder, env, case):
                pass
        case "circus":
            with _foreground([*program, _with_variables(folder / first, env)], folder, env, case):
                pass
        case "mprocs":
            with running([*program, "-c", first], folder, env, has_screen=True) as press:
                _wait(place, case)
                press(b"q")
        case "pm2":
            subprocess.run([*program, "start", first], cwd=folder, env=env, check=True, capture_output=True, timeout=60)
            try:
                _wait(place, case)
                _kill(place, case)
            finally:
                subprocess.run([*program, "kill"], cwd=folder, env=env, check=True, capture_output=True, timeout=60)


def by_portsup(case: Case, place: Path) -> Ran:
    """The case as portsup runs it once it is converted."""
    folder = prepared(case, place)
    env = environment(place, case)
    own = [_interpreter(place), "-m", "supervisor"]
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), *(each for each in sys.path if each.endswith("-packages"))])
    also = [word for name in case.facts.get("also", ()) for word in ("--from", name)]
    subprocess.run([*own, "init", "--from", case.main(), *also], cwd=folder, env=env, check=True, capture_output=True)
    with _foreground([*own, "up"], folder, env, case):
        pass
    return _ran(place, _pools(folder, env, own))


def _interpreter(place: Path) -> str:
    """Python under a name of its own: portsup puts the folder of its interpreter before the PATH of its services."""
    path = place / "interpreter" / "python-of-portsup"
    path.parent.mkdir()
    path.symlink_to(os.path.realpath(sys.executable))
    return str(path)


def _pools(folder: Path, env: Mapping[str, str], own: list[str]) -> list[list[int]]:
    shown = subprocess.run(
        [*own, "config", "show", "--format", "json"], cwd=folder, env=dict(env), capture_output=True, check=True
    )
    services = json.loads(shown.stdout)["services"]
    return [each["pool"] for each in services.values() if each.get("pool")]


@contextlib.contextmanager
def _foreground(command: list[str], folder: Path, env: Mapping[str, str], case: Case) -> Iterator[None]:
    with running(command, folder, env):
        _wait(folder.parent, case)
        _kill(folder.parent, case)
        yield
        if not _ends_all(case):
            os.kill(_pid_of(folder, command), signal.SIGTERM)


def _pid_of(folder: Path, command: list[str]) -> int:
    """The pid of a program that was started in this folder; children of the test are looked at, nobody else."""
    for path in Path("/proc/self/task").glob("*/children"):
        for pid in path.read_text().split():
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if os.path.realpath(f"/proc/{pid}/cwd") == os.path.realpath(folder) and command[-1].encode() in words:
                    return int(pid)
    raise AssertionError(f"{command} has ended")


def _wait(place: Path, case: Case) -> None:
    def are_all_there() -> bool:
        return len([each for each in records(place) if "argv" in each]) >= expected(case)

    try:
        eventually(are_all_there, within=PATIENCE, what=f"the start of {expected(case)} programs")
    except AssertionError as error:
        log = (place / "log").read_text(errors="replace") if (place / "log").exists() else ""
        raise AssertionError(f"{error}\n{records(place)}\n{log}") from error


def _kill(place: Path, case: Case) -> None:
    """The deaths of a case: each is waited for, and the start that follows it where one does."""
    for victim in case.deaths:
        before = _starts(place, victim)
        os.kill(before[-1], signal.SIGKILL)
        if case.services[victim].get("restart", "always") != "never" and not _ends_all(case):
            eventually(lambda: len(_starts(place, victim)) > len(before), within=PATIENCE, what=f"`{victim}` again")  # noqa: B023


def _ends_all(case: Case) -> bool:
    return any(case.services[name].get("ends_all") for name in case.deaths)


def _starts(place: Path, name: str) -> list[int]:
    """The pids of a program, in the order of their start."""
    called = (name, f"{name}.js")
    return [int(each["pid"]) for each in records(place) if "argv" in each and each["argv"][0] in called]


def _with_variables(path: Path, env: Mapping[str, str]) -> str:
    """The file of Circus, which hands down none of its own variables, with those that all programs here need."""
    told = "".join(f"{name} = {env[name]}\n" for name in ("PATH", "RECORD"))
    path.write_text(f"{path.read_text()}\n[env:*]\n{told}")
    return path.name


def _tells_port(folder: Path) -> bool:
    return (folder / ".env").exists() and "PORT=" in (folder / ".env").read_text()


def _whole_conf(path: Path) -> str:
    text = path.read_text()
    if "[supervisord]" not in text:
        path.write_text(text + "\n[supervisord]\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=pid\n")
    else:
        path.write_text(
            text.replace("[supervisord]\n", "[supervisord]\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=pid\n")
        )
    return path.name


def in_order_of_start(found: list[dict[str, Any]], highest: int) -> list[dict[str, Any]]:
    """By pid, where those after the highest one begin anew; programs of one run are less than half of all apart."""
    newest = max((int(each["pid"]) for each in found), default=0)

    def place(each: dict[str, Any]) -> int:
        pid = int(each["pid"])
        return pid + highest if newest - pid > highest / 2 else pid

    return sorted(found, key=place)


def _ran(place: Path, pools: list[list[int]] | None = None) -> Ran:
    """What ran; a spare port of a pool stands for its first one, and the folder of this run for any."""
    text = json.dumps(records(place))
    for pool in pools or ():
        for port in pool[1:]:
            text = re.sub(rf"(?<!\d){port}(?!\d)", str(pool[0]), text)
    found = json.loads(text.replace(os.path.realpath(place), "PLACE").replace(str(place), "PLACE"))
    started = in_order_of_start([each for each in found if "argv" in each], int(PID_MAX.read_text()))
    stopped: dict[str, list[str]] = {}
    for each in found:
        if "stopped" in each:
            stopped.setdefault(each["stopped"], []).append(each["by"])
    return Ran(started, {name: sorted(set(by)) for name, by in stopped.items()})
