"""`portsup unit`: a unit of systemd that runs this stack from the boot on."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from supervisor.cli.commands.config import load
from supervisor.cli.complaint import say
from supervisor.cli.config_files import files_asked
from supervisor.errors import UsageError
from supervisor.words.refusals import not_in_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.config.spec import StackSpec

EXAMPLES = """\
  portsup unit > ~/.config/systemd/user/shop.service
  systemctl --user daemon-reload && systemctl --user enable --now shop
  loginctl enable-linger             start it at boot, not at your login
  portsup unit --system | sudo tee /etc/systemd/system/shop.service"""

# systemd's words for what we need, systemd.service(5) and systemd.kill(5); PATH because its own one is short.
PASSED_ON = ("PATH", "PORTSUP_RUNTIME_DIR", "PORTSUP_STATE_DIR", "PORTSUP_HANG_TIMEOUT", "PORTSUP_PROFILES")
WATCHDOG = 60  # seconds; the daemon says every ten that it lives


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `unit`."""
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="start only these and their dependencies")
    parser.add_argument(
        "--system", action="store_true", help="print it for the systemd of the machine, not for your own"
    )
    parser.add_argument("--user", metavar="NAME", help="run it as this user, with --system (default: you)")
    parser.add_argument(
        "--profile", metavar="NAME", action="append", default=[], help="also start this profile; may be given again"
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Print the unit; where it belongs is said on stderr."""
    if args.user is not None and not args.system:
        raise UsageError("cannot set the user", "your own systemd runs everything as you", "add `--system`")
    stack = load(files_asked(args))
    for name in args.services:
        if name not in stack.services:
            raise not_in_file(name, stack.file.name, stack.services)
    portsup = [*program(), *(word for file in (stack.file, *stack.over) for word in ("-f", os.fspath(file)))]
    if args.instance is not None:
        portsup += ["--instance", str(args.instance)]
    up = ["up", *(f"--profile={name}" for name in args.profile), *args.services]
    user = (args.user or own_user()) if args.system else ""
    environment = {name: os.environ[name] for name in PASSED_ON if os.environ.get(name)}
    print("\n".join(lines(stack, portsup, up, environment, user=user, is_system=args.system)))
    if sys.stderr is not None and sys.stderr.isatty():
        say(_next(stack.name, args.system))
    return 0


def program() -> list[str]:
    """How this portsup is started, with absolute paths."""
    called = os.path.abspath(sys.argv[0])
    if os.path.basename(called) == "portsup" and os.access(called, os.X_OK):
        return [called]
    return [sys.executable, "-m", "supervisor"]


def lines(
    stack: "StackSpec", portsup: Sequence[str], up: Sequence[str], environment: Mapping[str, str], *, user: str,
    is_system: bool,
) -> list[str]:  # fmt: skip
    """The lines of the unit; raises PortsupError for what a unit cannot say."""
    from supervisor.export.stopping import stop_time_of_all
    from supervisor.export.unit_text import command, plain, word

    folder = os.fspath(stack.directory)
    told = [f"Environment={word(f'{name}={value}')}" for name, value in environment.items()]
    return [
        "[Unit]",
        f"Description=portsup: stack {plain(stack.name)}",
        *(["Wants=network-online.target", "After=network-online.target"] if is_system else []),
        "",
        "[Service]",
        "Type=notify",
        *([f"User={plain(user)}"] if user else []),
        f"WorkingDirectory={plain(folder)}",
        *told,
        f"ExecStart={command([*portsup, *up])}",
        f"ExecReload={command([*portsup, 'reload'])}",
        "# SIGTERM to portsup alone: it stops the services in order, and nothing of them is left.",
        "KillMode=mixed",
        "# Every service has a time limit of its own for its start.",
        "TimeoutStartSec=infinity",
        f"TimeoutStopSec={stop_time_of_all(stack.services):.0f}",
        f"WatchdogSec={WATCHDOG}",
        "Restart=on-failure",
        "RestartSec=2",
        "# A mistake in the configuration does not fix itself.",
        "RestartPreventExitStatus=2",
        "",
        "[Install]",
        f"WantedBy={'multi-user.target' if is_system else 'default.target'}",
    ]


def own_user() -> str:
    """Who runs this; "" for root, which is whom systemd takes by itself."""
    import pwd

    uid = os.getuid()
    try:
        return "" if uid == 0 else pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _next(name: str, is_system: bool) -> str:
    if is_system:
        place, command = f"/etc/systemd/system/{name}.service", "systemctl"
    else:
        place, command = f"~/.config/systemd/user/{name}.service", "systemctl --user"
    words = f"\nput it into {place}, then: {command} daemon-reload && {command} enable --now {name}"
    return words if is_system else f"{words}\nand `loginctl enable-linger`, for it to run without your login"
