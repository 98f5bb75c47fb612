"""Servers that are known by name: the port that they take by themselves, and how they are told another one."""

import json
import re
from collections.abc import Sequence

from supervisor.convert.around import Around
from supervisor.convert.draft import Draft, Filled
from supervisor.convert.values import mapping
from supervisor.dataclass import dataclass, replace
from supervisor.errors import PortsupError


@dataclass(frozen=True, slots=True)
class Server:
    """One of them; without an `option` it goes by the variable `PORT`, with `=` at its end the port follows at once."""

    option: str
    port: int
    heeds: bool = False  # it goes by `PORT` as well


ADDRESS = "an address"  # in the place of an option: the port is a word of its own
# By a pattern of the command line that each is started by.
_OF_NODE = (
    (r"\bvite preview\b", Server("--port", 4173)), (r"(?<!bin/)\bvite(?![\w-])(?! build)", Server("--port", 5173)),
    (r"\bastro dev\b", Server("--port", 4321)), (r"\bng serve\b", Server("--port", 4200)),
    (r"\bsvelte-kit dev\b", Server("--port", 5173)), (r"\bnext (?:dev|start)\b", Server("", 3000)),
    (r"\b(?:react-scripts|craco) start\b", Server("", 3000)), (r"\bnuxti? dev\b", Server("", 3000)),
    (r"\bremix dev\b", Server("", 3000)), (r"\b(?:remix|react-router)-serve\b", Server("", 3000)),
    (r"\bwebpack(?:-dev-server| serve)\b", Server("--port", 8080)),
    (r"\bstorybook dev\b", Server("--port", 6006)), (r"\bstart-storybook\b", Server("-p", 6006)),
    (r"\bgatsby develop\b", Server("--port", 8000, True)), (r"\bvitepress dev\b", Server("--port", 5173)),
    (r"\bparcel(?! build)\b", Server("--port", 1234, True)), (r"\bwrangler dev\b", Server("--port", 8787)),
    (r"\bjson-server\b", Server("--port", 3000)), (r"\bhttp-server\b", Server("--port", 8080, True)),
    (r"\beleventy\b.*--serve", Server("--port=", 8080)), (r"\bexpo start\b", Server("--port", 8081)),
)  # fmt: skip
_OTHERS = (
    (r"\bmanage\.py (?:\S+ )*runserver(?:_plus)?\b", Server(ADDRESS, 8000)),
    (r"\bpython3? -m http\.server\b", Server(ADDRESS, 8000)),
    (r"\bflask (?:\S+ )*run\b", Server("--port", 5000)), (r"\buvicorn\b", Server("--port", 8000)),
    (r"\bfastapi (?:dev|run)\b", Server("--port", 8000)), (r"\bdaphne\b", Server("-p", 8000)),
    (r"\bstreamlit run\b", Server("--server.port", 8501)),
    (r"\bjupyter[ -](?:lab|notebook|server)\b", Server("--port", 8888)), (r"\bjekyll serve\b", Server("--port", 4000)),
    (r"\bhugo serve(?:r)?\b", Server("--port", 1313)), (r"\bartisan serve\b", Server("--port=", 8000)),
    (r"\btrunk serve\b", Server("--port", 8080)), (r"\bzola serve\b", Server("--port", 1111)),
    (r"\brails s(?:erver)?\b", Server("", 3000)), (r"\bgunicorn\b", Server("", 8000)),
)  # fmt: skip
_RUN = re.compile(
    r"(?:^|\s)(?P<runner>npm|pnpm|yarn|bun)"
    r"(?:\s+(?:--prefix|-C|--cwd|--dir)[= ](?P<at>\S+))?"
    r"\s+(?:run\s+)?(?P<script>[\w:.-]+)(?:\s+(?:--prefix|-C|--cwd)[= ](?P<after>\S+))?\s*$",
    re.ASCII,
)
_OF_RAILS = re.compile(r"(?:^|[\s/])bin/(?:vite|webpack|shakapacker)")  # they go by a file of their own
_READABLE = re.compile(r"[\w./-]*\w\.(?:[cm]?[jt]s|py|rb|ru|php|pl|exs?|go|sh)(?![\w.])|(?:\./)?bin/[\w-]+", re.ASCII)
_FORGETS = re.compile(r"\bunset PORT\b|\benv (?:-\S+ )*-u ?PORT\b")
_INTO = re.compile(r"^\s*cd\s+([^\s;&|\"'$]+)\s*(?:&&|;)")


def of_node(command: str) -> Server | None:
    """The development server of Node.js that a command line ends with."""
    return _found(_last(command), _OF_NODE)


def is_one(command: str) -> bool:
    """Whether such a server of Node.js is named anywhere in a command line."""
    return any(re.search(pattern, command) for pattern, _ in _OF_NODE)


def give(draft: Draft, around: Around) -> None:
    """Tell a server that goes by no `PORT` its port in the words of its command.

    The pool begins with the port that it takes by itself, as its clients know that one.
    """
    command = draft.fields["command"]
    if draft.ports or draft.gets_port or not isinstance(command, list):
        return
    is_script = len(command) == 3 and bool(re.fullmatch(r"-\w*c", command[1]))
    text = command[2] if is_script else " ".join(command)
    script, separator = _script(text, around)
    server = _found(_last(script or text), (*_OF_NODE, *_OTHERS))
    if server is None:
        return
    told = re.search(r"(?<!\S)(?:--port[= ]|-p )(\d{2,5})\b|\$\{?PORT\b", script)
    if told and told[1]:
        server = replace(server, port=int(told[1]))
    if _FORGETS.search(text):
        server = replace(server, heeds=False)
    elif not server.option or server.heeds or (told and not told[1]):
        draft.gets_port = True
        draft.fields["port_env"] = "PORT"
        return
    draft.ports = [server.port]
    if not server.option:
        return
    if is_script and re.search(r"[)}\"'`&|;>\d]\s*\Z", text):
        return  # nothing can be put behind it: its port is moved
    words = [*separator, *_told(server)]
    if is_script:
        more = " ".join(words).replace("{port}", "$PORT")
        draft.fields["command"] = [*command[:2], f"{text} {more}"]
    else:
        draft.fields["command"] = [*command, *words]
    draft.gets_port = True
    draft.fields["port_env"] = "PORT"
    shown = "`{port}`" if server.option == ADDRESS else f"`{server.option.rstrip('=')}`"
    draft.notes.append(f"it takes {server.port} whatever `$PORT` is, so {shown} is added")


def may_heed(text: str, around: Around) -> bool:
    """Whether a command line may well go by `PORT`: what it runs can be read and has that name, or cannot be read."""
    if re.search(r"\bbuild\b.*--watch\b|--watch\b.*\bbuild\b", text):
        return False
    script, _ = _script(text, around)
    into = _INTO.match(text)
    found = []
    for name in _READABLE.findall(f"{text} {script}"):
        try:
            found.append(around.read(f"{into[1]}/{name}" if into else name))
        except PortsupError:
            continue
    return not found or any(re.search(r"\bPORT\b", each) for each in (text, script, *found))


def _told(server: Server) -> list[str]:
    if server.option == ADDRESS:
        return [Filled("{port}")]
    return [Filled(f"{server.option}{{port}}")] if server.option.endswith("=") else [server.option, Filled("{port}")]


def _last(command: str) -> str:
    """The last of the simple commands of a line."""
    return re.split(r"&&|\|\||[;|&\n]", command.replace("2>&1", "").strip().rstrip("&;"))[-1]


def _found(line: str, table: Sequence[tuple[str, Server]]) -> Server | None:
    for pattern, server in table:
        if re.search(rf"(?<![\w-]){pattern}", line) and not _OF_RAILS.search(line):
            has_port = server.option == ADDRESS and re.search(r"(?:\s|:)\d{2,5}(?:\s|\Z)", line)
            return None if has_port else server
    return None


def _script(text: str, around: Around) -> tuple[str, list[str]]:
    """The script of a package.json that a line runs, and what its runner wants before options for it."""
    found = _RUN.search(_last(text))
    if not found:
        return "", []
    into = _INTO.match(text)
    folder = found["at"] or found["after"] or (into[1] if into else "")
    try:
        package = json.loads(around.read(f"{folder}/package.json" if folder else "package.json"))
    except (PortsupError, ValueError, RecursionError):
        return "", []
    script = mapping(mapping(package).get("scripts")).get(found["script"])
    return (script, ["--"] if found["runner"] == "npm" else []) if isinstance(script, str) else ("", [])
