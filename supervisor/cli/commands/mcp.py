"""`portsup mcp`: the tools of this folder's stack for coding agents, in the Model Context Protocol."""

import argparse
import os
import sys

from supervisor.cli.arguments import ports
from supervisor.cli.complaint import say, warn
from supervisor.cli.config_files import config_near, current_directory, files_asked
from supervisor.errors import Missing, PortsupError, UsageError

EXAMPLES = """\
  portsup mcp install cursor   add it to the configuration of a client
  portsup mcp                  serve the client on stdin and stdout
  portsup mcp --read-only      without the tools that change something
  portsup mcp --http           serve clients that connect by HTTP with the token

An agent sees state, ports, logs and failures, and starts, stops, restarts,
moves and waits for services. It asks you before it stops the stack."""

PORTS = [7090, 7091, 7092, 7093, 7094]
_CLIENTS = ("claude-code", "cursor", "vscode", "mcp.json")
_LONGEST = 1 << 22  # bytes of a configuration


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `mcp`."""
    parser.add_argument("action", nargs="?", choices=("install",), help="add portsup to the configuration of a client")
    parser.add_argument("client", nargs="?", choices=_CLIENTS, help="the client whose file here gets the entry")
    parser.add_argument(
        "--http", metavar="PORTS", nargs="?", type=ports, const=PORTS,
        help="serve by HTTP on the first free port (default: 7090-7094)",
    )  # fmt: skip
    parser.add_argument("--read-only", action="store_true", help="leave out the tools that change something")
    parser.add_argument("--replace", action="store_true", help="replace another entry of this name, with install")


def run(args: argparse.Namespace) -> int:
    """Serve until the client ends; or write its configuration."""
    if args.action == "install":
        return _install(args)
    if args.replace:
        raise UsageError("cannot replace anything", "`--replace` is about `install`", "`portsup mcp install CLIENT`")
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
    except ImportError as error:
        raise Missing("mcp", error, "cannot serve agents") from None


def _install(args: argparse.Namespace) -> int:
    """Enter it into the file of a client, and leave all else in there as it is."""
    from supervisor.files.content import read
    from supervisor.files.opening import explained
    from supervisor.files.replacement import write
    from supervisor.mcp.entry import CLIENTS, Different, Unreadable, entered

    if args.client is None or args.http is not None:
        why = "no client is named" if args.client is None else "`--http` clients are set up in their own settings"
        raise UsageError("cannot install it", why, f"`portsup mcp install {'|'.join(_CLIENTS)}`")
    client = CLIENTS[args.client]
    path = os.path.join(_project(), client.file)
    entry = {"type": "stdio", **_command(args)}
    what = f"cannot add portsup to `{path}`"
    paste = f"add this below `{client.key}` yourself: {_in_a_line(entry)}"
    try:
        try:
            text = read(path, _LONGEST).decode()
        except FileNotFoundError:
            text = ""
        made = entered(text, client.key, entry, replace=args.replace)
        if made == text and text:
            say(f"`{path}` has it already")
            return 0
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write(path, made.encode(), durable=True)
    except Different:
        raise PortsupError(what, "it has another entry `portsup`", "`--replace` puts this one in its place") from None
    except Unreadable as error:
        raise PortsupError(what, f"it is no JSON that can be added to: {error}", paste) from None
    except UnicodeDecodeError:
        raise PortsupError(what, "it is no UTF-8 text", paste) from None
    except OSError as error:
        raise PortsupError(what, explained(error), paste) from error
    try:
        _check_installed()
    except PortsupError as error:
        warn(f"{error.why}: {error.hint}", args.color)
    say(f"`{path}` has it now: {client.title} starts `portsup mcp` in this directory")
    return 0


def _project() -> str:
    """The folder of services.yaml, here or above; else this one."""
    here = current_directory()
    near = config_near(here)
    return os.path.dirname(near) if near else here


def _command(args: argparse.Namespace) -> "dict[str, object]":
    """What starts it: by its name where the shell finds it, because such files are shared among people."""
    import shutil

    files = (os.path.join(current_directory(), file) for file in args.file or ())
    more = [f"--file={os.path.relpath(file, _project())}" for file in files]  # the client starts it in that folder
    more += [f"--instance={args.instance}"] if args.instance is not None else []
    options = [*more, "mcp", *(["--read-only"] if args.read_only else [])]
    if shutil.which("portsup"):
        return {"command": "portsup", "args": options}
    return {"command": sys.executable, "args": ["-m", "supervisor", *options]}


def _in_a_line(entry: "dict[str, object]") -> str:
    import json

    return f'"portsup": {json.dumps(entry)}'
