"""`portsup logs`: from the files, with or without a running instance."""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from supervisor.cli import arguments
from supervisor.cli.commands import logs
from supervisor.config.spec import LogLimits
from supervisor.errors import ExitCode
from supervisor.logs.line import Line
from supervisor.logs.service_log import ServiceLog
from supervisor.logs.state_dir import instance_directory
from supervisor.process.output import Stream
from tests.cli.conftest import Pretend, Run
from tests.support.eventually import eventually
from tests.support.fake_daemon import row, status

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
STACK = """\
name: shop
services:
  web: {command: [sleep, "9"], pool: [26000, 26001, 26002]}
  worker: {command: [sleep, "9"], pool: [26010, 26011, 26012]}
"""


def write(service: str, *lines: tuple[float, str, str], instance: int = 1) -> None:
    folder = Path(instance_directory("shop", instance))
    folder.mkdir(parents=True, exist_ok=True)
    log = ServiceLog(folder / f"{service}.log", LogLimits())
    for when, stream, text in lines:
        log.write(stream, text.encode() + b"\n", when)
    log.close()


@pytest.fixture
def written(own_folders: Path) -> None:
    """A stack that does not run, and what its services wrote when it did."""
    (own_folders / "services.yaml").write_text(STACK)
    write("web", (100.0, "stdout", "web one"), (102.0, "stderr", "web two"))
    write("worker", (101.0, "stdout", "worker one"))


@pytest.mark.usefixtures("written")
def test_logs_are_merged_in_the_order_of_time_though_nothing_runs(run: Run) -> None:
    assert run("logs") == (0, "web    | web one\nworker | worker one\nweb    | web two\n", "")


@pytest.mark.usefixtures("written")
def test_one_service_and_its_last_lines(run: Run) -> None:
    assert run("logs", "web", "-n", "1").out == "web | web two\n"
    assert run("logs", "web", "-n", "0").out == ""
    assert run("logs", "web", "-n", "all", "--no-prefix").out == "web one\nweb two\n"


@pytest.mark.usefixtures("written")
def test_json_has_time_service_stream_and_message(run: Run) -> None:
    last = json.loads(run("logs", "--json").out.splitlines()[-1])
    assert last == {"time": "1970-01-01T00:01:42.000Z", "service": "web", "stream": "stderr", "message": "web two"}


@pytest.mark.usefixtures("written")
def test_timestamps_stand_between_name_and_line(run: Run) -> None:
    assert run("logs", "worker", "-t").out == "worker | 1970-01-01T00:01:41.000Z worker one\n"


@pytest.mark.usefixtures("written")
def test_since_leaves_older_lines_out(run: Run) -> None:
    assert run("logs", "--since", "1970-01-01T00:01:41.500Z").out == "web    | web two\n"
    assert run("logs", "--since", "1h").out == ""


@pytest.mark.usefixtures("written")
def test_the_last_lines_until_a_moment_are_the_last_before_it(run: Run) -> None:
    assert (
        run("logs", "--until", "1970-01-01T00:01:41.500Z", "-n", "1").out == "web    | web one\nworker | worker one\n"
    )
    assert run("logs", "--until", "1970-01-01T00:00:00Z").out == ""


@pytest.mark.usefixtures("written")
def test_a_service_that_does_not_exist_is_told(run: Run) -> None:
    ran = run("logs", "wbe")
    assert ran.code == ExitCode.NOT_FOUND
    assert "did you mean `web`?" in ran.err


@pytest.mark.usefixtures("written")
def test_a_service_that_was_taken_out_still_has_its_log(run: Run) -> None:
    write("old", (99.0, "stdout", "before"))
    assert run("logs", "old").out == "old | before\n"


@pytest.mark.usefixtures("written")
def test_the_instance_is_picked_by_number(run: Run) -> None:
    write("web", (200.0, "stdout", "of two"), instance=2)
    assert run("logs", "--instance", "2").out == "web    | of two\n"


def test_a_running_instance_tells_its_services(pretend: Pretend, run: Run) -> None:
    pretend({"status": [status(row("web"), row("quiet"))]})
    write("web", (100.0, "stdout", "hello"))
    assert run("logs").out == "web   | hello\n"
    assert run("logs", "quiet") == (0, "", "")


def test_without_an_instance_and_a_configuration_there_is_nothing_to_show(run: Run) -> None:
    ran = run("logs")
    assert ran.code == ExitCode.NOT_FOUND
    assert "none is running" in ran.err


@pytest.mark.usefixtures("written")
def test_prefixes_are_coloured_when_asked_for(run: Run) -> None:
    assert "\x1b[36mweb    |\x1b[0m web one\n" in run("logs", "--color", "always").out


@pytest.mark.parametrize("text", ["-1", "many", "1.5", ""])
def test_a_number_of_lines_is_a_number(text: str, run: Run) -> None:
    assert run("logs", f"-n={text}").code == ExitCode.USAGE
    assert run("logs", "--since", "sometime").code == ExitCode.USAGE


def test_a_moment_is_an_age_or_a_local_time() -> None:
    assert arguments.moment("2026-03-01T09:30") == datetime(2026, 3, 1, 9, 30).timestamp()
    before, moment, after = time.time(), arguments.moment("10m"), time.time()
    assert before <= moment + 600 <= after


@pytest.fixture
def talkative(own_folders: Path) -> None:
    """A stack that does not run, and whose services printed lines of every kind."""
    (own_folders / "services.yaml").write_text(STACK)
    write(
        "web", (100.0, "stdout", "INFO: begins"), (101.0, "stderr", "ERROR: timeout of db"),
        (102.0, "stdout", "goes on"), (103.0, "stdout", '{"level": "warn", "http": {"status": 503}}'),
        (104.0, "stdout", "Timeout again"),
    )  # fmt: skip
    write("worker", (101.5, "stdout", "timeout too"))


@pytest.mark.usefixtures("talkative")
def test_lines_are_found_by_an_expression_a_level_or_a_field(run: Run) -> None:
    assert run("logs", "--grep", "timeout") == (0, "web    | ERROR: timeout of db\nworker | timeout too\n", "")
    assert run("logs", "web", "--grep", "^timeout", "-i").out == "web | Timeout again\n"
    assert run("logs", "--grep", "timeout", "-i", "-n", "1", "--no-prefix").out == "timeout too\nTimeout again\n"
    field = 'web | {"level": "warn", "http": {"status": 503}}\n'
    assert run("logs", "web", "--level", "warning").out == "web | ERROR: timeout of db\n" + field
    assert run("logs", "web", "--json-field", "http.status=503", "--json-field", "level").out == field
    assert run("logs", "web", "--json-field", "http.status=200").out == ""


@pytest.mark.usefixtures("talkative")
def test_lines_around_a_match_come_with_it(run: Run) -> None:
    shown = run("logs", "--grep", "db|again", "--context", "1", "--no-prefix").out
    assert shown.splitlines() == [
        "INFO: begins", "ERROR: timeout of db", "goes on", '{"level": "warn", "http": {"status": 503}}',
        "Timeout again",
    ]  # fmt: skip
    shown = run("logs", "--grep", "db|begins|too", "--context", "1", "--no-prefix").out
    assert shown.splitlines() == ["INFO: begins", "ERROR: timeout of db", "goes on", "--", "timeout too"]
    shown = run("logs", "--grep", "again", "--context", "1", "--json").out
    assert [(each["message"][:7], each["match"]) for each in map(json.loads, shown.splitlines())] == [
        ('{"level', False), ("Timeout", True),
    ]  # fmt: skip


@pytest.mark.usefixtures("talkative")
def test_only_what_the_last_process_printed(run: Run) -> None:
    journal = Path(instance_directory("shop", 1)) / "portsup.log"
    event = {"level": "info", "event": "service spawned", "service": "web"}
    times = ("1970-01-01T00:01:30Z", "1970-01-01T00:01:42.500Z")
    journal.write_text("".join(json.dumps({"time": time} | event) + "\n" for time in times))
    shown = run("logs", "--since-restart", "--no-prefix").out
    assert shown.splitlines() == ["timeout too", '{"level": "warn", "http": {"status": 503}}', "Timeout again"]
    assert run("logs", "web", "--since-restart", "--grep", "timeout", "--no-prefix").out == ""


@pytest.mark.usefixtures("talkative")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-i"], "`-i`: it needs `--grep`"),
        (["--context", "2"], "it prints the lines around matches, and no option says what matches"),
        (["--grep", "a("], "`a(` is no regular expression"),
        (["--json-field", "=x"], "`=x` names no field"),
        (["--level", "loud"], "invalid choice: 'loud'"),
        (["--grep", "x", "--context", "-1"], "`-1` is not a number of lines"),
        (["--grep", "x", "--context", "9999"], "not a number of lines from 0 to 1000"),
        (["--grep", "x", "--context", "0" * 9 + "9999"], "not a number of lines from 0 to 1000"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(run: Run, options: list[str], words: str) -> None:
    ran = run("logs", *options)
    assert ran.code == ExitCode.USAGE
    assert words in ran.err


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize(("options", "first"), [(["-n", "1"], "web two"), (["--grep", "one|three"], "web one")])
def test_following_shows_what_comes_until_ctrl_c(own_folders: Path, options: list[str], first: str) -> None:
    command = [sys.executable, "-m", "supervisor", "logs", "-f", "web", *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=own_folders, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline() == f"web | {first}\n"
        write("web", (102.5, "stdout", "web"), (103.0, "stdout", "web three"))
        if "--grep" not in options:
            assert follower.stdout.readline() == "web | web\n"
        assert follower.stdout.readline() == "web | web three\n"
        follower.send_signal(2)
        assert eventually(lambda: follower.poll() is not None)
        assert follower.returncode == ExitCode.INTERRUPTED
        assert follower.stderr is not None
        assert follower.stderr.read() == ""


@pytest.mark.skipif(sys.platform != "linux", reason="another process gets its limits by prlimit(2)")
@pytest.mark.usefixtures("written")
def test_who_follows_waits_for_a_descriptor_and_says_so(own_folders: Path) -> None:
    command = [sys.executable, "-m", "supervisor", "logs", "-f", "web", "-n", "1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=own_folders, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as follower:
        assert follower.stdout is not None
        assert follower.stderr is not None
        assert follower.stdout.readline() == "web | web two\n"
        write("web", (102.0, "stdout", "web three"))
        assert follower.stdout.readline() == "web | web three\n", "it follows"
        usual = resource.prlimit(follower.pid, resource.RLIMIT_NOFILE)
        used = set(map(int, os.listdir(f"/proc/{follower.pid}/fd")))
        none_left = next(number for number in range(len(used) + 1) if number not in used)
        resource.prlimit(follower.pid, resource.RLIMIT_NOFILE, (none_left, usual[1]))
        log = Path(instance_directory("shop", 1), "web.log")
        for end in ("", ".idx"):
            log.with_name(f"web.log{end}").rename(log.with_name(f"web.log.1{end}"))
        write("web", (103.0, "stdout", "web four"))
        said = follower.stderr.readline()
        resource.prlimit(follower.pid, resource.RLIMIT_NOFILE, usual)
        shown = follower.stdout.readline()
        follower.send_signal(2)
        assert eventually(lambda: follower.poll() is not None)
        assert "warning: cannot read on: " in said
        assert "too many open files; portsup tries again" in said
        assert (shown, follower.stderr.read()) == ("web | web four\n", ""), "it says so once"


def test_lines_of_a_log_that_is_removed_meanwhile_have_their_prefix(capsys: pytest.CaptureFixture[str]) -> None:
    args = argparse.Namespace(color="never", json=False, timestamps=False, no_prefix=False)
    printer = logs._Printer(args, ["web", "gone"], ["web", "gone"])
    printer.know(["web"], ["web"])
    printer.print([Line(100.0, "gone", Stream.STDOUT, "last words")])
    assert capsys.readouterr().out == "gone | last words\n"


def test_following_waits_for_a_stack_that_has_never_run(own_folders: Path) -> None:
    (own_folders / "services.yaml").write_text(STACK)
    command = [sys.executable, "-m", "supervisor", "logs", "--follow"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=own_folders, env=environment, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        time.sleep(0.3)  # whether it looks before or after the file is there must not matter; most often it is before
        write("worker", (103.0, "stdout", "at last"))
        assert follower.stdout.readline() == "worker | at last\n"
        follower.kill()
