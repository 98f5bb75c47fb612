"""portsup up: starts the stack, in the foreground or as a daemon."""

import argparse
import contextlib
import gc
import os
import signal
import sys

from supervisor import system
from supervisor.cli.complaint import complain, report_bug
from supervisor.cli.config_files import files_asked
from supervisor.cli.live import Screen, is_live
from supervisor.cli.parser import seconds
from supervisor.cli.render import wants_color
from supervisor.errors import ExitCode, PortsupError, UsageError, shell_code
from supervisor.process.aside import Aside
from supervisor.process.pulse import DEFAULT, LEAST, HangDetector, Pulse
from supervisor.process.readers import Readers
from supervisor.process.relay import Relay, is_wanted
from supervisor.process.signals import STOPPING, hold_back
from supervisor.process.view import require_place
from supervisor.words import answers, instances

if not system.HAS_JOBS:
    from supervisor.process import guardian

TYPE_CHECKING = False  # to import `typing` would cost the guardian memory
if TYPE_CHECKING:
    from supervisor.daemon.options import Options

EXAMPLES = """\
  portsup up                     start everything; stop on Ctrl-C
  portsup up -d                  in the background; return when all is ready
  portsup up api                 only `api` and its dependencies
  portsup up --profile debug     also the services of the profile `debug`
  portsup up -d --wait-timeout 60
  portsup up --exit-code-from tests
  portsup up --strict-ports      use only the first port of each pool
  portsup up --dry-run           show the ports, start nothing
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `up`."""
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="start only these and their dependencies")
    parser.add_argument("-d", "--detach", action="store_true", help="run in the background; return when all is ready")
    parser.add_argument(
        "--wait-timeout", type=seconds, metavar="S", help="stop everything (exit 124) if not ready after S seconds"
    )
    parser.add_argument(
        "--profile", metavar="NAME", action="append", default=[],
        help="also start this profile, `*` for all; may be given again",
    )  # fmt: skip
    parser.add_argument("--strict-ports", action="store_true", help="accept only the first port of each pool")
    parser.add_argument(
        "--handoff",
        choices=("auto", "off"),
        default="auto",
        help="use the handoff; off: services bind their ports themselves",
    )
    parser.add_argument("--abort-on-exit", action="store_true", help="stop everything when a service has ended")
    parser.add_argument("--abort-on-failure", action="store_true", help="stop everything when a service has failed")
    parser.add_argument(
        "--exit-code-from",
        metavar="SERVICE",
        default="",
        help="return the exit code of SERVICE; implies --abort-on-exit",
    )
    parser.add_argument("--dry-run", action="store_true", help="show which ports `up` would use, and start nothing")
    parser.add_argument("--no-prefix", action="store_true", help="show log lines without the name of the service")


def run(args: argparse.Namespace) -> int:
    """Starts the stack; the exit code."""
    if args.wait_timeout == 0:
        raise UsageError("cannot use `--wait-timeout 0`", "it must be greater than 0", "write seconds, or leave it out")
    if args.exit_code_from and args.detach:
        raise UsageError(
            "cannot use `--exit-code-from` with `-d`", "nobody waits for the end of the service", "leave out `-d`"
        )
    if args.dry_run:
        return _dry_run(args)
    pulse = _pulse()
    require_place(answers.CANNOT_SUPERVISE)
    hold_back()
    if system.HAS_JOBS:
        return _in_job(args)
    return _background(args, pulse) if args.detach else _foreground(args, pulse)


def _in_job(args: argparse.Namespace) -> int:
    """The daemon is this process, and what it starts ends with it; in the background it is a new one."""
    from supervisor.cli.commands.up_in_job import background, is_in_background

    if args.detach and not is_in_background():
        return background()
    system.guard_ourselves()
    done = os.dup(1) if args.detach else None
    return _daemon(args, None, colour=wants_color(args.color, sys.stdout), done=done, live=None)


def _pulse() -> Pulse | None:
    """The sign of life that the guardian watches; None where nobody wants that."""
    text = os.environ.get("PORTSUP_HANG_TIMEOUT", "") or str(DEFAULT)
    try:
        patience = seconds(text)
    except argparse.ArgumentTypeError as error:
        raise UsageError("cannot use PORTSUP_HANG_TIMEOUT", str(error), "0 switches it off") from None
    if patience == 0:
        return None
    if patience < LEAST:
        raise UsageError("cannot use PORTSUP_HANG_TIMEOUT", f"`{text}` is below {LEAST:g} s", "0 switches it off")
    return Pulse(patience)


def _foreground(args: argparse.Namespace, pulse: Pulse | None) -> int:
    out, out_theirs = _pipe()
    err, err_theirs = _pipe()
    live = _live_pipe(args)
    relay, readers = Relay() if is_wanted() else None, Readers()
    colour = wants_color(args.color, sys.stdout)
    system.set_child_subreaper()
    daemon = guardian.start_daemon(
        lambda: _daemon(args, pulse, readers, colour=colour, done=None, live=live and live[1], relay=relay),
        [(out_theirs, 1), (err_theirs, 2)], (out, err, *(live or ())[:1]),
    )  # fmt: skip
    watch = None if pulse is None else HangDetector(daemon, pulse)
    os.close(out_theirs)
    os.close(err_theirs)
    if relay is not None:
        relay.theirs.close()
    return _guard(daemon, {out: 1, err: 2}, watch, _screen(live, 2, (1,)), relay, readers)


def _live_pipe(args: argparse.Namespace) -> tuple[int, int] | None:
    """The pipe on which the daemon says whom it waits for, our end and its; None where no terminal shows that."""
    if not is_live(args.color, sys.stderr):
        return None
    ours, theirs = _pipe()
    os.set_blocking(theirs, False)
    return ours, theirs


def _screen(live: tuple[int, int] | None, target: int, others: tuple[int, ...] = ()) -> Screen | None:
    if live is None:
        return None
    os.close(live[1])
    return Screen(live[0], target, others)


def _guard(
    daemon: int, pumps: dict[int, int], watch: HangDetector | None, screen: Screen | None = None,
    relay: Relay | None = None, readers: Readers | None = None,
) -> int:  # fmt: skip
    clean_up = None if system.TIES_PROCESSES else _end_runs_of
    code = guardian.guard(daemon, pumps, watch, screen, relay, readers, clean_up)
    if watch is not None and code == ExitCode.HUNG and (path := watch.pulse.journal()):
        import json
        import time

        from supervisor.core.journal import DaemonHung
        from supervisor.logs.journal_file import JournalFile
        from supervisor.logs.line import rfc3339

        fact = {"time": rfc3339(time.time()), "level": DaemonHung.level, "event": DaemonHung.event, "pid": daemon}
        JournalFile(path).write(json.dumps({**fact, "silent_s": watch.pulse.patience}))
    return code


def _end_runs_of(daemon: int) -> int:
    from supervisor.daemon.left_behind import end_runs_of  # late: most daemons end by themselves

    return end_runs_of(daemon)


def _background(args: argparse.Namespace, pulse: Pulse | None) -> int:
    done, done_theirs = _pipe()
    colour = wants_color(args.color, sys.stderr)
    sys.stderr.flush()
    pid = guardian.fork()
    if pid == 0:
        _close_all_but(done_theirs)  # a lock that a script holds must end with the script
        try:
            os.setsid()
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # with no terminal left it asks to reload, nohup or not
            code = _guard_in_background(args, pulse, colour, done_theirs)
        except PortsupError as error:
            complain(error, sys.argv[1:])
            code = int(error.exit_code)
        except BaseException as error:
            code = report_bug(error, sys.argv[1:])
        os._exit(code)
    os.close(done_theirs)
    return _await_start(pid, done)


def _guard_in_background(args: argparse.Namespace, pulse: Pulse | None, colour: bool, done: int) -> int:
    err, err_theirs = _pipe()
    live = _live_pipe(args)
    system.set_child_subreaper()
    daemon = guardian.start_daemon(
        lambda: _daemon(args, pulse, colour=colour, done=done, live=live and live[1]),
        [(err_theirs, 2)],
        (err, *(live or ())[:1]),
    )
    watch = None if pulse is None else HangDetector(daemon, pulse)
    os.close(err_theirs)
    shown = os.dup(2)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):  # the terminal must be able to close
        os.dup2(null, fd)
    os.close(null)
    guardian.pump(daemon, {err: shown}, screen=_screen(live, shown))
    os.close(shown)
    os.close(done)  # not before all is shown: `up -d` returns on this
    return _guard(daemon, {}, watch)


def _await_start(pid: int, done: int) -> int:
    """Waits in the terminal until the stack in the background is up, or has failed."""
    for number in STOPPING:
        signal.signal(number, lambda number, _: _forward(pid, number))
    told = b""
    while data := os.read(done, 64):
        told += data
    if told.strip().isdigit():
        return int(told)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == ExitCode.HUNG:
        complain(answers.daemon_hung(instances.HUNG))
    if code >= 0:
        return code or ExitCode.INTERRUPTED
    complain(answers.daemon_died(pid, -code))
    return shell_code(code)


def _close_all_but(kept: int) -> None:
    os.closerange(3, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))


def _forward(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _pipe() -> tuple[int, int]:
    return os.pipe2(os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()


def _daemon(
    args: argparse.Namespace, pulse: Pulse | None, readers: Readers | None = None, *, colour: bool, done: int | None,
    live: int | None, relay: Relay | None = None,
) -> int:  # fmt: skip
    """The daemon's whole life, in the forked process."""
    gc.disable()  # until the stack is up: of what is made for it nothing is garbage, and to look costs a twentieth
    try:
        from supervisor.process import late_patterns, latecomers

        latecomers.put_off()
        from supervisor.daemon.reading import read_stack  # what both need is imported once

        # A child reads services.yaml, which takes as long as all the other imports.
        asked = Aside(lambda: read_stack(_options(args), late_patterns.compiled_late))
        from supervisor.daemon.console.foreground import Show
        from supervisor.daemon.start import run_instance

        manager = None if relay is None else (relay.theirs, relay.watchdog_every)
        show = Show(colour, not args.no_prefix, done=done, pulse=pulse, live=live, manager=manager, readers=readers)
        return run_instance(args.instance, asked, show)
    except PortsupError as error:
        complain(error, sys.argv[1:])
        return int(error.exit_code)
    except Exception as error:
        return report_bug(error, sys.argv[1:])
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


def _dry_run(args: argparse.Namespace) -> int:
    from supervisor.daemon.start import dry_run

    return dry_run(args.instance, _options(args))


def _options(args: argparse.Namespace) -> "Options":
    from supervisor.core.ending import Abort
    from supervisor.daemon.options import Options

    code_from = args.exit_code_from
    return Options(
        tuple(args.services), args.detach, args.wait_timeout, args.strict_ports, args.handoff == "auto", args.profile,
        tuple(files_asked(args)),
        Abort(args.abort_on_exit or bool(code_from), args.abort_on_failure, code_from),
    )  # fmt: skip
