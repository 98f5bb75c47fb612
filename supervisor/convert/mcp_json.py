"""The servers of MCP that clients start, in their files of JSON and TOML: each becomes one for all.

Claude Code, Cursor, VS Code, Zed, Windsurf, Gemini CLI, opencode and Codex have such files.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from supervisor.config import interpolate, placeholders
from supervisor.convert.around import ALONE, Around
from supervisor.convert.draft import Draft, Filled, Left, Outcome
from supervisor.convert.values import cleaned, mapping, texts
from supervisor.errors import PortsupError

# Of Claude Code, Cursor, Windsurf and Gemini CLI; VS Code; Zed; Codex.
KEYS = ("mcpServers", "servers", "context_servers", "mcp_servers")
ADDRESSES = ("url", "serverUrl", "httpUrl")
_READ = frozenset((
    "command", "args", "env", "environment", "envFile", "env_file", "cwd", "type", "headers", "disabled", "enabled",
    "description", "source", *ADDRESSES,
))  # fmt: skip
_WHY = {
    **dict.fromkeys(
        ("timeout", "startup_timeout_sec", "tool_timeout_sec", "startup_timeout_ms"),
        ("it is what the client waits", "keep it in the file of the client"),
    ),
    "settings": ("it is of an extension of Zed", "keep it in the file of the client"),
    "alwaysAllow": ("it is what the client asks its user", "keep it in the file of the client"),
    "autoApprove": ("it is what the client asks its user", "keep it in the file of the client"),
    "trust": ("it is what the client asks its user", "keep it in the file of the client"),
    **dict.fromkeys(
        ("disabledTools", "enabledTools", "includeTools", "excludeTools", "tools", "enabled_tools", "disabled_tools"),
        ("it is which tools the client shows", "keep it in the file of the client"),
    ),
    "dev": ("it is for debugging in VS Code", "use `watch` to restart the server"),
}
# With comments and commas at the end, as VS Code writes it; strings stay as they are.
_EXTRAS = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.DOTALL)
_REFERENCE = re.compile(r"\$\{([^{}]*)\}|\{(env:\w+)\}", re.ASCII)  # the second is of opencode
_OWN = ("portsup",)
_OF_EXTENSIONS = frozenset(("settings", "enabled", "source", "remote"))  # keys of a server that an extension has


def convert(text: str, around: Around = ALONE) -> Outcome:
    """One service a server that is started; one that runs elsewhere stays in the file."""
    top = mapping(_parsed(text))
    servers = _servers(top)
    if servers is None:
        raise PortsupError("cannot convert the file", f"it has none of {', '.join(f'`{each}`' for each in KEYS)}")
    outcome = Outcome()
    is_of_zed = "context_servers" in top
    for name, item in servers.items():
        given = _usual(mapping(item), is_windows=around.system == "windows")
        what = f"server `{name}`"
        if any(given.get(each) for each in ADDRESSES):
            outcome.left.append(Left(what, "it runs elsewhere, and is reached by its address", "keep it in the file"))
        elif not str(given.get("command") or "").strip():
            is_extension = is_of_zed and (given.get("source") == "extension" or given.keys() <= _OF_EXTENSIONS)
            why = "an extension of Zed has it" if is_extension else "it has no command"
            outcome.left.append(Left(what, why, "keep it in the file" if is_extension else "write it by hand"))
        elif _is_portsup(given):
            outcome.left.append(Left(what, "it is portsup itself, for this directory", "keep it in the file"))
        else:
            outcome.services.append(_server(str(name), given))
    for each in mapping(top.get("mcp")).get("inputs") or top.get("inputs") or ():
        if isinstance(each, dict) and each.get("id"):
            why = "the client asks its user for it"
            outcome.left.append(Left(f"input `{each['id']}`", why, f"set `{_variable(str(each['id']))}` in `.env`"))
    return outcome


def _servers(top: dict[str, Any]) -> dict[str, Any] | None:
    """The servers by their names, wherever a client has them; None if there is no place for them."""
    for key in KEYS:
        if isinstance(top.get(key), dict):
            return mapping(top[key])
    inner = top.get("mcp")  # the settings of VS Code have `mcp: {servers: …}`, opencode has them in `mcp` itself
    if not isinstance(inner, dict):
        return None
    return mapping(inner.get("servers")) if isinstance(inner.get("servers"), dict) else mapping(inner)


def _usual(given: dict[str, Any], *, is_windows: bool) -> dict[str, Any]:
    """A server in the words of most clients: `command` as a text, `args`, `env`."""
    made = dict(given)
    if isinstance(told := made.get("command"), dict):  # an older form of Zed
        inner = mapping(told)
        made |= {"command": inner.get("path"), "args": inner.get("args", ()), "env": inner.get("env")}
    elif isinstance(told, list) and told:  # opencode
        made |= {"command": str(told[0]), "args": [*told[1:], *texts(made.get("args"))]}
    program, *rest = [str(made.get("command") or ""), *texts(made.get("args"))]
    if program.lower() in ("cmd", "cmd.exe") and len(rest) > 1 and rest[0].lower() == "/c" and not is_windows:
        made |= {"command": rest[1], "args": rest[2:]}  # how `npx` is started on Windows
    elif program.lower().endswith(".cmd") and not is_windows:
        made["command"] = program[:-4]
    if isinstance(made.get("environment"), dict):
        made["env"] = {**mapping(made.pop("environment")), **mapping(made.get("env"))}
    if made.get("enabled") is False:
        made["disabled"] = True
    return made


def _parsed(text: str) -> Any:
    if re.search(r"^\s*\[(mcp_servers|mcpServers)\b", text, re.MULTILINE):
        try:
            return cleaned(tomllib.loads(text))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise PortsupError("cannot read the file", f"it is no TOML: {error}") from error
    plain = _COMMA.sub(lambda found: found[1] or "", _EXTRAS.sub(lambda found: found[1] or " ", text))
    try:
        return cleaned(json.loads(plain))
    except (ValueError, RecursionError) as error:
        raise PortsupError("cannot read the file", f"it is no JSON: {error}") from error


def _is_portsup(given: dict[str, Any]) -> bool:
    words = [str(given.get("command")).rpartition("/")[2], *texts(given.get("args"))]
    return words[0] in _OWN or "supervisor" in words[1:3] or "supervisor.mcp" in words[1:3]


def _server(name: str, given: dict[str, Any]) -> Draft:
    draft = Draft(name, gets_port=True)
    draft.fields["command"] = [_filled(draft, word) for word in (str(given["command"]), *texts(given.get("args")))]
    draft.fields |= {"stdio": "mcp", "start": "on-connect", "start_timeout": "2m"}  # npx and uvx fetch it first
    told = {key: value for key, value in mapping(given.get("env")).items() if value is not None}
    environment = {key: _filled(draft, _text(value)) for key, value in told.items()}
    for variable, value in environment.items():
        if variable.startswith("PORTSUP_"):
            draft.leave(f"variable `{variable}`", "such names are portsup's own", "rename it")
        elif variable == "PORT":
            draft.leave("variable `PORT`", "the program has no port of its own: portsup serves it", "leave it out")
        else:
            draft.environment[variable] = value
    for key in ("envFile", "env_file"):
        if isinstance(given.get(key), str):
            draft.fields["env_file"] = [{"path": _filled(draft, given[key]), "required": True}]
    if isinstance(given.get("cwd"), str):
        draft.fields["working_dir"] = _filled(draft, given["cwd"])
    if isinstance(about := given.get("description"), str) and about.strip():
        draft.fields["description"] = about[:1000]
    if given.get("disabled") is True:
        draft.fields["autostart"] = False
    draft.leave_keys(given, _WHY, _READ)
    draft.notes.append("clients find it at the address that `portsup url NAME` prints, with `/mcp` behind it")
    return draft


def _text(value: Any) -> str:
    """The value of a variable as JSON has it, where it is no text."""
    return value if isinstance(value, str) else json.dumps(value)


def _filled(draft: Draft, text: str) -> Filled:
    return Filled("".join(_pieces(draft, text)))


def _pieces(draft: Draft, text: str) -> Iterator[str]:
    """A text with its variables as services.yaml has them."""
    end = 0
    for found in _REFERENCE.finditer(text):
        yield _literally(text[end : found.start()])
        yield _reference(draft, found[1] or found[2] or "")
        end = found.end()
    yield _literally(text[end:])


def _reference(draft: Draft, inner: str) -> str:
    kind, _, name = inner.partition(":")
    if kind == "env" and re.fullmatch(r"\w+", name):
        return _demanded(name)
    if kind == "input" and name:
        return _demanded(_variable(name))
    if inner == "workspaceFolder":
        return "."
    if inner == "userHome":
        return "${HOME}"
    if inner in ("pathSeparator", "/"):
        return "/"
    if re.fullmatch(r"[A-Za-z_]\w*", inner):
        return _demanded(inner)
    if re.fullmatch(r"[A-Za-z_]\w*:-.*", inner):
        return f"${{{inner}}}"
    draft.leave(f"`${{{inner}}}`", "only the client knows what it stands for", "write the value in its place")
    return _literally(f"${{{inner}}}")


def _demanded(name: str) -> str:
    return f"${{{name}}}" if name == "HOME" else f"${{{name}:?the server needs it}}"


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name, flags=re.ASCII).upper()


def _literally(text: str) -> str:
    return placeholders.literally(interpolate.literally(text))
