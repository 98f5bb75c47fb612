"""Procfiles, as foreman, honcho, overmind and Heroku read them: `name: command line`."""

import re
from collections.abc import Mapping

from supervisor.convert import dev_servers, own_port, procfile_settings, shell
from supervisor.convert.around import ALONE, Around
from supervisor.convert.draft import Draft, Left, Outcome
from supervisor.convert.own_port import is_number
from supervisor.convert.values import set_variables
from supervisor.errors import PortsupError

_LINE = re.compile(r"([A-Za-z0-9_.-]+)\s*:\s*(.+)", re.ASCII)
JOBS = ("release",)
ENV_FILES = (".overmind.env", ".env")  # read in this order, the later one has the last word
GRACE = "5s"  # foreman, honcho and overmind all kill after it


def convert(text: str, around: Around = ALONE) -> Outcome:
    """One service a line; as soon as one ends, all others are stopped."""
    outcome = Outcome()
    variables: dict[str, str] = {}
    files = [name for name in ENV_FILES if around.is_there(name)]
    for name in files:
        variables |= around.variables(name)
    settings = procfile_settings.read(around, variables)
    files += [name for name in settings.env_files if name not in files]
    base = settings.base or _base(variables) or _of_rails(around)
    number = 0
    for at, line in enumerate(re.sub(r"\\\r?\n", " ", text).splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if not found:
            outcome.left.append(Left(f"line {at}", "it is not `name: command`", "write it as a service by hand", line))
            continue
        outcome.services.append(_process(found[1], found[2], files, base and base + settings.step * number, around))
        if isinstance(words := outcome.services[-1].fields["command"], list):
            outcome.services[-1].further += own_port.of_nginx(words, around.read)
        number += 1
    settings.apply(outcome)
    return outcome


def _base(variables: Mapping[str, str]) -> int:
    """The port of the first line, where the variables tell it; 0 else."""
    for name in ("OVERMIND_PORT", "PORT"):
        if is_number(variables.get(name, "")):
            return int(variables[name])
    return 0


def _of_rails(around: Around) -> int:
    """The port that the script `bin/dev` of Rails sets before it starts the lines."""
    try:
        found = re.search(r"\bPORT=\"?\$\{PORT:-(\d+)\}", around.read("bin/dev"))
    except PortsupError:
        return 0
    return int(found[1]) if found and is_number(found[1]) else 0


def _process(name: str, command: str, files: list[str], port: int, around: Around) -> Draft:
    draft = Draft(name)
    if files:
        draft.fields["env_file"] = [{"path": each, "required": False} for each in files]
    read = shell.read(command)
    shell.give(draft, read)
    draft.keep_stdin()
    set_variables(draft, dict(read.environment))
    dev_servers.give(draft, around)
    is_fixed = bool(draft.ports) and "${PORT" not in command
    if port and port < 65536 and not is_fixed:
        draft.ports.insert(0, port)
    if name in JOBS and not (draft.gets_port and is_fixed):
        draft.has_pool = False
        draft.fields |= {"restart": "never", "one_shot": True}
        draft.notes.append("a job that runs once: make the others wait with `depends_on: [release]`")
        return draft
    draft.fields |= {"restart": "never", "on_end": "stop_all", "stop_grace_period": GRACE}
    if port and not draft.gets_port and name != "web" and not is_fixed:
        draft.gets_port = True
        draft.fields |= {"port_env": "PORT", "ready": "started"}
        draft.notes.append("it finds its port in `$PORT`, and is ready once it is started: a server needs no `ready`")
    if name == "web":
        draft.gets_port = draft.gets_port or (not is_fixed and (bool(port) or dev_servers.may_heed(command, around)))
        draft.fields.setdefault("port_env", "PORT")
    return draft
