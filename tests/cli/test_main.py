"""The command line as a whole: options, help, errors in words, exit codes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.cli import parser
from supervisor.cli.commands import ALIASES, LINES, ls
from supervisor.cli.main import main
from supervisor.errors import ConfigError, ExitCode, PoolExhausted, Problem, UsageError
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]


def portsup(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "supervisor", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | changes
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


def test_alone_it_shows_its_help_as_a_mistake(run: Run) -> None:
    ran = run()
    assert ran.code == ExitCode.USAGE
    assert ran.out == ""
    assert "usage: portsup" in ran.err


@pytest.mark.parametrize("asked", [["--help"], ["-h"], ["help"], ["--color", "never", "--help"]])
def test_the_help_lists_every_command_in_a_line(asked: list[str], run: Run) -> None:
    ran = run(*asked)
    assert ran.code == 0
    for name, line in LINES.items():
        assert f"  {name:<12}{line}\n" in ran.out
    told = " ".join(ran.out.partition("exit codes: ")[2].split())
    assert {int(code) for code in re.findall(r"\b\d+\b", told)} >= {int(code) for code in ExitCode}
    assert all(len(line) <= 100 for line in ran.out.splitlines())


@pytest.mark.parametrize("command", LINES)
def test_every_command_has_help_with_examples(command: str, run: Run) -> None:
    ran = run(command, "--help")
    assert ran.code == 0
    assert f"usage: portsup {command}" in ran.out
    assert "examples:\n  portsup" in ran.out or "examples:\n  curl" in ran.out
    assert "--instance N" in ran.out
    assert run("help", command).out == ran.out


def test_a_mistyped_command_is_told_the_closest_one(run: Run) -> None:
    ran = run("stauts")
    assert ran.code == ExitCode.USAGE
    assert ran.err == "error: cannot run `stauts`: portsup has no such command\n\nhint: did you mean `status`?\n"
    assert "lists the commands" in run("xyzzy").err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["status", "--fromat", "json"], "did you mean `--format`?"),
        (["--instnace", "2", "status"], "did you mean `--instance`?"),
        (["--instance", "0", "status"], "`0` is not an instance number"),
        (["--instance", "-1", "status"], "`-1` is not an instance number"),
        (["--instance"], "`--instance` needs a value"),
        (["status", "--form", "json"], "unrecognized arguments"),
        (["lease", "--pool", "8100", "--", "true"], "hint: `portsup lease --help` shows what it takes"),
        (["status", "--format", "xml"], "invalid choice"),
        (["status", "--color", "pink"], "invalid choice"),
        (["port"], "the following arguments are required: SERVICE"),
        (["down", "-t", "soon"], "`soon` is not a duration"),
        (["down", "-t", "nan"], "`nan` is not a duration"),
        (["kill", "-s", "SIGHUPP", "web"], "did you mean `SIGHUP`?"),
        (["config"], "check|show"),
        (["completion", "tcsh"], "invalid choice"),
        (["-x", "status"], "there is no option `-x` before the command"),
    ],
)
def test_a_wrong_command_line_is_told_what_is_wrong(arguments: list[str], words: str, run: Run) -> None:
    ran = run(*arguments)
    assert ran.code == ExitCode.USAGE
    assert ran.out == ""
    assert ran.err.startswith("error: cannot understand the command line: ")
    assert words in ran.err
    assert "\nhint: " in ran.err or "needs a value" in ran.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-f", "x", "--instance", "2", "status"], ("x", 2, "auto")),
        (["-fx", "--instance=2", "status"], ("x", 2, "auto")),
        (["--file=x", "status", "--instance", "2"], ("x", 2, "auto")),
        (["status", "-f", "x", "--color", "never"], ("x", None, "never")),
        (["--instance", "2", "status", "--instance", "3"], (None, 3, "auto")),
        (["--color", "always", "status"], (None, None, "always")),
        (["ps"], (None, None, "auto")),
        (["-f", "x", "status", "-f", "y"], ("x y", None, "auto")),
        (["-f", "x", "config", "-f", "y", "check", "-f", "z"], ("x y z", None, "auto")),
        (["-f", "x", "logs"], ("x", None, "auto")),
        (["--instance", "2", "config", "check", "-f", "x"], ("x", 2, "auto")),
        (["-f", "x", "config", "show", "--color", "never"], ("x", None, "never")),
    ],
)
def test_global_options_stand_before_the_command_or_behind_it(
    arguments: list[str], expected: tuple[str | None, int | None, str]
) -> None:
    options, word, rest = parser.split(arguments)
    args = parser.build(parser.resolve(word)).parse_args([*options, *rest])
    files = [*(args.file or ()), *getattr(args, "behind", ())]
    assert (" ".join(files) or None, args.instance, args.color) == expected
    assert args.command == ALIASES.get(word, word)


@pytest.mark.parametrize("arguments", [["init"], ["-f", "x", "graph"]])
def test_a_working_directory_that_is_gone_is_told(arguments: list[str], own_folders: Path, run: Run) -> None:
    (own_folders / "gone").mkdir()
    os.chdir(own_folders / "gone")
    (own_folders / "gone").rmdir()
    ran = run(*arguments)
    assert ran.code == ExitCode.FAILURE
    assert "the working directory does not exist any more" in ran.err


def test_the_version_is_data(run: Run) -> None:
    ran = run("--version")
    assert ran.code == 0
    assert ran.out.startswith("portsup ")
    assert ran.err == ""


def raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: object) -> int:
        raise error

    monkeypatch.setattr(ls, "run", run)


def test_every_mistake_of_a_configuration_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [
        Problem("services.yaml", 4, 5, "unknown key `prot`", "did you mean `port`?"),
        Problem("services.yaml", 0, 0, "no services"),
    ]
    raising(ConfigError("cannot use `services.yaml`", problems, "2 mistakes"), monkeypatch)
    ran = run("ls")
    assert ran.code == ExitCode.USAGE
    assert ran.err.splitlines() == [
        "error: cannot use `services.yaml`: 2 mistakes",
        "",
        "services.yaml:4:5: unknown key `prot`",
        "  hint: did you mean `port`?",
        "services.yaml: no services",
    ]


def test_an_exhausted_pool_is_told_port_by_port(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = [(6000, "held by `node` (pid 7)"), (60001, "in quarantine")]
    raising(PoolExhausted("cannot start `web`", reasons, "none of its ports can be used", "give it more"), monkeypatch)
    ran = run("ls")
    assert ran.code == ExitCode.POOL_EXHAUSTED
    assert "\n\n  6000   held by `node` (pid 7)\n  60001  in quarantine\n\nhint: give it more\n" in ran.err


def test_colour_in_errors_is_asked_for_even_where_the_line_is_wrong(run: Run) -> None:
    assert run("--color", "always", "stauts").err.startswith("\x1b[31merror:\x1b[0m cannot run")
    assert "\x1b" not in run("stauts").err


def test_ctrl_c_is_quiet(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(KeyboardInterrupt(), monkeypatch)
    assert run("ls") == (ExitCode.INTERRUPTED, "", "")


def test_a_mistake_of_ours_leaves_a_report_without_secrets(
    run: Run, monkeypatch: pytest.MonkeyPatch, own_folders: Path
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk-very-secret")
    raising(ValueError("bad gsk-very-secret value\nsecond line"), monkeypatch)
    ran = run("ls", "--format", "json")
    assert ran.code == ExitCode.BUG
    error, empty, hint = ran.err.splitlines()
    assert error.startswith("error: cannot finish this: internal error of portsup: ValueError: bad")
    assert "gsk-very-secret" not in ran.err
    assert empty == ""
    path = Path(hint.split("`")[1])
    assert path.parent == own_folders / "s" / "reports"
    assert path.stat().st_mode & 0o777 == 0o600
    report = path.read_text()
    assert "portsup ls --format json" in report
    assert "ValueError: bad *** value" in report
    assert "Traceback" in report


def test_where_no_directory_can_have_the_report_the_mistake_is_told_all_the_same(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    (tmp_path / "file").touch()
    monkeypatch.setenv("PORTSUP_STATE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.gettempdir", none)
    raising(ValueError("bad value"), monkeypatch)
    ran = run("ls")
    assert ran.code == ExitCode.BUG
    assert "internal error of portsup: ValueError: bad value" in ran.err
    assert "hint: no report could be written" in ran.err


HINT = "hint: make room there, or write the output elsewhere"


def test_a_full_disk_behind_the_output_is_no_mistake_of_ours(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(OSError(28, "No space left on device"), monkeypatch)
    assert run("ls") == (ExitCode.FAILURE, "", f"error: cannot write the output: No space left on device\n\n{HINT}\n")


def test_usage_errors_of_a_command_look_like_those_of_the_parser(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(UsageError("cannot do both", "they exclude each other"), monkeypatch)
    assert run("ls") == (ExitCode.USAGE, "", "error: cannot do both: they exclude each other\n")


@pytest.mark.live
def test_a_reader_that_leaves_is_no_error() -> None:
    command = [sys.executable, "-m", "supervisor", "schema"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run([*command[:-1], "--help"], env=environment, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert ran.stderr == b""
    assert ran.returncode == 141


@pytest.mark.live
@pytest.mark.parametrize("asked", [["--help"], ["status", "--help"]], ids=" ".join)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_device_is_told(run: Run, asked: list[str], unbuffered: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-m", "supervisor", *asked]
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, check=False)
    assert ran.returncode == ExitCode.FAILURE
    assert ran.stderr.decode() == f"error: cannot write the output: No space left on device\n\n{HINT}\n"


@pytest.mark.live
def test_python_m_supervisor_is_portsup() -> None:
    ran = portsup("ls")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "no instance is running\n")


@pytest.mark.parametrize("command", ["", *LINES])
def test_help_needs_no_special_characters(command: str, run: Run) -> None:
    assert run(*filter(None, [command]), "--help").out.isascii()


@pytest.mark.live
def test_a_name_that_the_locale_cannot_write_is_no_traceback() -> None:
    ran = portsup("stätus", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert ran.returncode == ExitCode.USAGE
    assert ran.stderr.startswith("error: cannot run `st")


@pytest.mark.live
@pytest.mark.parametrize(("encoding", "shown"), [("latin-1", "é\\u2192b..."), ("ascii", "\\xe9\\u2192b...")])
def test_characters_that_the_terminal_does_not_have_are_written_otherwise(
    encoding: str, shown: str, tmp_path: Path
) -> None:
    file = tmp_path / "services.yaml"
    file.write_text("services: {web: {command: a, description: é→b…}}\n", encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    command = [sys.executable, "-m", "supervisor", "config", "show", "-f", str(file)]
    ran = subprocess.run(command, env=environment, capture_output=True, timeout=30, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert f"description: {shown}\n" in ran.stdout.decode(encoding)


@pytest.mark.live
def test_closed_streams_are_no_error() -> None:
    command = f"exec {sys.executable} -m supervisor ls >&- 2>&-"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.run(["sh", "-c", command], env=environment, timeout=30, check=False).returncode == 0


def test_main_takes_its_arguments_from_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["portsup", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("portsup ")
