"""The entry point of `portsup`: one command line to one exit code, and errors to words."""

import codecs
import contextlib
import gc
import os
import sys
from collections.abc import Sequence

from supervisor.cli.complaint import complain, report_bug, say
from supervisor.errors import ExitCode, PortsupError, refusal
from supervisor.process import shortcut
from supervisor.words.surroundings import CANNOT_OPEN_NULL, MOUNT_DEV  # at once: it may be needed where nothing opens

PLAIN = "portsup.plain"  # how characters are written that the terminal does not have, codecs.register_error
YOUNG = 20000  # objects until Python looks for garbage: more than a command makes that only asks something
BROKEN_PIPE = 141  # what the shell sees of a program that SIGPIPE ended


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command line; the exit code for the shell.

    Without `argv` it is that of this process, which then ends at once if nothing has asked to be called at its end: to
    take the interpreter apart takes `status` a sixth of its time.
    """
    if argv is None:
        shortcut.take()
    gc.set_threshold(YOUNG)  # `status` is 4 % quicker, as is what `up` does before its daemon begins
    code = _carried_out(list(sys.argv[1:] if argv is None else argv))
    if argv is None and "atexit" not in sys.modules:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or never there
                stream.flush()
        os._exit(code)
    return code


def _carried_out(arguments: list[str]) -> int:
    try:
        _open_closed_streams()
    except OSError as error:  # there may be nobody to tell
        what, why = CANNOT_OPEN_NULL, error.strerror or str(error)
        complain(refusal(error, what) or PortsupError(what, why, MOUNT_DEV), arguments)
        return int(ExitCode.FAILURE)
    try:
        codecs.register_error(PLAIN, _plainly)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors=PLAIN)  # a C locale must not turn a name into a traceback
        code = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except PortsupError as error:
        complain(error, arguments)
        return int(error.exit_code)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader went away: the interpreter must not try to flush the rest and complain about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return BROKEN_PIPE
    except Exception as error:
        return report_bug(error, arguments)


def _plainly(error: UnicodeError) -> "tuple[str | bytes, int]":
    """The ellipsis as dots, and all else as its number."""
    if isinstance(error, UnicodeEncodeError) and error.object[error.start] == "…":
        return "...", error.start + 1
    if isinstance(error, UnicodeEncodeError):
        error = UnicodeEncodeError(error.encoding, error.object, error.start, error.start + 1, error.reason)
    return codecs.backslashreplace_errors(error)


def _run(arguments: list[str]) -> int:
    from supervisor.cli import parser

    options, word, rest = parser.split(arguments)
    if word == "--version":
        from supervisor.cli.version import version

        print("portsup", version())
        return int(ExitCode.OK)
    if word == "help":
        word, rest = (rest[0], ["--help"]) if rest and not rest[0].startswith("-") else ("", [])
        if not word:
            print(parser.overview())
            return int(ExitCode.OK)
    if not word:
        say(parser.overview())
        return int(ExitCode.USAGE)
    command = parser.build(parser.resolve(word))
    try:
        args = command.parse_args([*options, *rest])
    except SystemExit as end:  # --help
        return int(end.code or 0)
    if hasattr(args, "on") and args.on is None:
        from supervisor.cli.config_files import cluster_asked

        args.on = cluster_asked(args)
    if getattr(args, "on", None):
        from supervisor.cli import on_cluster

        return on_cluster.run(args)
    return int(args.run(args))


def _open_closed_streams() -> None:
    """Puts /dev/null in the place of streams that we were started without.

    Else the next lock or socket would be descriptor 1, and what is printed would go into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
