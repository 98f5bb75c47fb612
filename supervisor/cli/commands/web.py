"""`portsup web`: the page of this folder's stack, for a browser."""

import argparse
import ipaddress
import os

from supervisor.cli.arguments import ports
from supervisor.cli.config_files import current_directory, files_asked
from supervisor.errors import Missing, UsageError
from supervisor.words import sockets as words

EXAMPLES = """\
  portsup web              print a link that works once, and serve the page
  portsup web --read-only  a page that only shows

Press ? on the page to see its keys. Ctrl-C stops the page; the stack goes on."""

PORTS = [7080, 7081, 7082, 7083, 7084]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `web`."""
    parser.add_argument("--read-only", action="store_true", help="serve a page that changes nothing")
    parser.add_argument(
        "--ports", metavar="PORTS", type=ports, default=PORTS,
        help="use the first free one of these ports (default: 7080-7084)",
    )  # fmt: skip
    parser.add_argument(
        "--host-name", metavar="NAME", action="append", default=[],
        help="let browsers use this host name, too",
    )  # fmt: skip
    parser.add_argument(
        "--with-stack", action="store_true",
        help="print the link once the stack is ready, and end with it",
    )  # fmt: skip
    group = parser.add_argument_group("beyond this machine")
    group.add_argument("--host", metavar="ADDRESS", default="127.0.0.1", help="listen there (default: 127.0.0.1)")
    group.add_argument("--beyond-loopback", action="store_true", help="allow an ADDRESS that others can reach")
    group.add_argument("--tls-cert", metavar="FILE", default="", help="use this certificate with its chain, as PEM")
    group.add_argument("--tls-key", metavar="FILE", default="", help="use this private key, as PEM")


def run(args: argparse.Namespace) -> int:
    """Serve until a signal, or until the stack ends where that was asked for."""
    _check(args)
    _check_installed()
    from supervisor.api.project import Project
    from supervisor.api.token import user_token
    from supervisor.web.serve import Serving, serve

    project = Project(current_directory(), files_asked(args), args.instance)
    if not args.with_stack:
        project.name()  # raises for a folder without a stack
    serving = Serving(
        args.ports, args.host, tuple(args.host_name), args.tls_cert, args.tls_key, read_only=args.read_only,
        with_stack=args.with_stack,
    )  # fmt: skip
    serve(project, user_token(), serving)
    return 0


def _check(args: argparse.Namespace) -> None:
    what = words.no_page(args.host)
    try:
        is_loopback = ipaddress.ip_address(args.host).is_loopback
    except ValueError:
        raise UsageError(what, "that is no address", "write one, such as 127.0.0.1 or 192.168.1.20") from None
    if bool(args.tls_cert) != bool(args.tls_key):
        raise UsageError("cannot serve the page by TLS", "a certificate and a key are needed", "--tls-cert, --tls-key")
    for file in filter(None, (args.tls_cert, args.tls_key)):
        if not os.path.isfile(file):
            raise UsageError("cannot serve the page by TLS", f"there is no file `{file}`")
    if not is_loopback and not args.beyond_loopback:
        raise UsageError(what, "others could reach it there", words.BEYOND)
    if not is_loopback and not args.tls_cert:
        raise UsageError(what, "whoever listens on the way would get the keys", "give --tls-cert and --tls-key")
    if is_loopback and args.beyond_loopback:
        raise UsageError(what, "--beyond-loopback needs an address that others can reach", "--host ADDRESS")
    for name in args.host_name:
        if not name or any(sign in name for sign in "/:@ \t#?") or not name.isascii():
            raise UsageError("cannot use this host name", f"`{name}` is no name", "write it without scheme and port")


def _check_installed() -> None:
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise Missing("web", error, "cannot serve the page") from None
