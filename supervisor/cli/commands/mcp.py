"""`portsup mcp`: the tools of this folder's stack for coding agents, in the Model Context Protocol."""

import argparse

from supervisor.cli.arguments import ports
from supervisor.cli.config_files import current_directory, files_asked
from supervisor.errors import PortsupError

EXAMPLES = """\
  portsup mcp                  serve the client on stdin and stdout
  portsup mcp --read-only      without the tools that change something
  portsup mcp --http           serve clients that connect by HTTP and send the token, until Ctrl-C

docs/how-to/let-an-agent-work.md tells how to enter it into a client"""

PORTS = [7090, 7091, 7092, 7093, 7094]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `mcp`."""
    parser.add_argument(
        "--http", metavar="PORTS", nargs="?", type=ports, const=PORTS,
        help="serve clients that connect by HTTP, on the first of these ports that is free (default: 7090-7094)",
    )  # fmt: skip
    parser.add_argument("--read-only", action="store_true", help="leave out the tools that change something")


def run(args: argparse.Namespace) -> int:
    """Serve until the client ends."""
    _check_installed()
    import anyio

    from supervisor.api.project import Project
    from supervisor.cli.version import version
    from supervisor.mcp.server import McpServer
    from supervisor.mcp.toolbox import Toolbox

    project = Project(current_directory(), files_asked(args), args.instance)
    server = McpServer(Toolbox(project, read_only=args.read_only), version())
    if args.http is None:
        anyio.run(server.serve_stdio)
    else:
        from supervisor.api.token import token_path, user_token
        from supervisor.mcp.http import serve_http

        serve_http(server, user_token(), token_path(), args.http)
    return 0


def _check_installed() -> None:
    try:
        import mcp  # noqa: F401
    except ImportError:
        hint = "install the extra: `pip install 'portsup[mcp]'`"
        raise PortsupError("cannot serve agents", "the package `mcp` is not installed", hint) from None
