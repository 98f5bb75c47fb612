"""Errors to words on stderr: `error: …`, a blank line, `hint: …`."""

import errno
import sys
from collections.abc import Sequence

from supervisor.cli.render import paint, wants_color
from supervisor.errors import ConfigError, ExitCode, PoolExhausted, PortsupError, refusal
from supervisor.process.remarks import say as say

_OUTPUT = (errno.ENOSPC, errno.EIO, errno.EDQUOT)  # what writing to stdout may end with; it has no name


def complain(error: PortsupError, arguments: Sequence[str] = ()) -> None:
    """Say on stderr what could not be done, why, and what to do next."""
    color = wants_color(color_choice(arguments), sys.stderr)
    lines = [f"{paint('error:', 'red', color)} {error}"]
    if isinstance(error, ConfigError) and error.problems:
        lines.append("")
        for problem in error.problems:
            lines.append(str(problem))
            if problem.hint:
                lines.append(f"  {paint('hint:', 'cyan', color)} {problem.hint}")
    if isinstance(error, PoolExhausted) and error.reasons:
        lines += ["", *(f"  {port:<5}  {why}" for port, why in error.reasons)]
    if error.hint:
        lines += ["", f"{paint('hint:', 'cyan', color)} {error.hint}"]
    say("\n".join(lines))


def warn(text: str, choice: str = "auto") -> None:
    """One `warning:` line on stderr."""
    say(f"{paint('warning:', 'yellow', wants_color(choice, sys.stderr))} {text}")


def remark(text: str, choice: str = "auto") -> None:
    """One `note:` line on stderr: nothing has to be done about it."""
    say(f"{paint('note:', 'cyan', wants_color(choice, sys.stderr))} {text}")


def color_choice(arguments: Sequence[str]) -> str:
    """What `--color` says, also on a command line that could not be parsed."""
    choice = "auto"
    for word, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if word == "--color":
            choice = following
        elif word.startswith("--color="):
            choice = word.removeprefix("--color=")
    return choice


def report_bug(error: BaseException, arguments: Sequence[str]) -> int:
    """Write what happened to a file, and say in two lines where it is."""
    if isinstance(error, OSError) and error.errno in _OUTPUT and error.filename is None:
        hint = "make room there, or write the output elsewhere"
        complain(PortsupError("cannot write the output", error.strerror or "", hint), arguments)
        return int(ExitCode.FAILURE)
    if (refused := refusal(_shortage(error) or error, "cannot carry out the command")) is not None:
        complain(refused, arguments)
        return int(ExitCode.FAILURE)
    if isinstance(error, FileNotFoundError) and not _has_working_directory():
        why = "the working directory does not exist any more"
        complain(PortsupError("cannot carry out the command", why, "go to one that does, with `cd`"), arguments)
        return int(ExitCode.FAILURE)
    from supervisor.cli.bug_report import redacted, write_report

    where = write_report(error, arguments)
    brief = redacted(f"{type(error).__name__}: {error}").splitlines()[0][:200]
    complain(
        PortsupError(
            "cannot finish this: internal error of portsup",
            brief,
            f"`{where}` has the details, without your secrets: please send it to the developers"
            if where
            else "no report could be written: run it again with PORTSUP_STATE_DIR set to a directory you can write to",
        ),
        arguments,
    )
    return int(ExitCode.BUG)


def _shortage(error: BaseException | None) -> OSError | None:
    """The lack of descriptors that an error is about, or that led to it; None if there was none."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            return error
        error = error.__cause__ or error.__context__
    return None


def _has_working_directory() -> bool:
    import os

    try:
        return bool(os.getcwd())
    except OSError:
        return False
