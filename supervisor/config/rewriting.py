"""What to write in the place of a command with shell syntax: the keys that do the same, or the shell itself."""

import os.path
import re
import shlex
from collections.abc import Sequence

from supervisor.config.secret_names import HIDDEN, is_secret_name
from supervisor.config.shell import ASSIGNMENT, BUILTINS, Kind, Syntax, bared, syntax_among, syntax_in
from supervisor.dataclass import dataclass, replace

LONGEST = 1500  # characters of a command that is repeated in a hint
_BASH = re.compile(r"\[\[|[<>]\(|&>|\|&|<<<|\$'|(?:^|[;&|\n]\s*)(?:pushd|popd|shopt|declare|function|let|set -\w*o)\b")
_JOINED = re.compile(r"&&|\|\||\||;|&(?!>)|\n")
_PLAIN = re.compile(r"[A-Za-z0-9_./+=-][A-Za-z0-9_./+=:-]*(?<!:)")
_UNSAFE = re.compile(r"^[\s\[\]{}>|*&!%#`@,?:'\"-]|: |:$| #|[\n\t]|^\s|\s$")
_OLD = frozenset(("yes", "no", "on", "off", "true", "false", "null", "~", "y", "n"))


@dataclass(frozen=True, slots=True)
class Around:
    """What the service of a command has beside it; the command of a probe or hook has nothing."""

    key: str
    is_service: bool = False
    working_dir: str = ""
    environment: str = ""  # `mapping` or `list` where there is one
    port: str = ""  # the variable that tells the port, where there is a pool
    user: str = ""


@dataclass(slots=True)
class _Peeled:
    """A command without what comes before the program, as far as keys of the service can say it."""

    rest: str
    folder: str = ""
    variables: list[tuple[str, str]] | None = None
    files: list[str] | None = None

    @property
    def needs_keys(self) -> bool:
        return bool(self.folder or self.variables or self.files)


def for_text(text: str, found: Syntax, around: Around) -> str:
    """The hint for a command that is a text; `text` is as it is written, variables not filled in."""
    if found.kind is Kind.SCRIPT:
        words = text.split(None, 2)
        return f"write `{around.key}: [{flow(words[0])}, {flow(words[1])}, {flow(words[2].strip())}]`"
    if found.kind is Kind.VARIABLE and found.token == "$PORT" and around.is_service and not around.port:
        with_port = replace(around, port="PORT")
        return f"{for_text(text, found, with_port)}, and give it a `pool`, such as `pool: 8000-8002`"
    ours = _with_placeholders(text.strip(), around)
    if found.kind is Kind.COMMENT:
        return f"write `{around.key}: {block(text[: found.start].strip())}`"
    if quoted := _with_quoted_end(ours):
        return f"write `{around.key}: {block(quoted)}`"
    peeled = _peeled(ours)
    if "\n" in peeled.rest.strip():
        return f"write `{in_shell(ours, around.key)}`"
    left = syntax_in(peeled.rest)
    if left is None and (around.is_service or not peeled.needs_keys):
        return _keys(peeled, around)
    hint = f"write `{in_shell(ours, around.key)}`"
    if left is None and peeled.variables and not around.is_service and not peeled.folder:
        words = ["env", *(f"{name}={value}" for name, value in peeled.variables), *shlex.split(peeled.rest)]
        hint = f"write `{around.key}: {flow_list(words)}`"
    if left and (left.is_inside or left.kind is Kind.PATTERN):
        hint += "; or put it in quotes if the program is to get it as it is"
    elif left and left.kind is Kind.VARIABLE:
        hint += f"; or `${{{left.token[1:]}}}`, which portsup fills in from its own environment"
    return hint


def for_list(words: Sequence[str], found: Syntax, around: Around) -> str:
    """The hint for a command that is a list; `words` are as they are written."""
    if found.kind is Kind.SCRIPT:
        script = shlex.join(words[2:])
        return f"write `{around.key}: {flow_list([*words[:2], script])}`"
    if found.kind is Kind.ONE_WORD:
        text = " ".join([words[0].strip(), *map(_quoted, words[1:])])
        inner = syntax_in(text)
        if inner is not None:
            return for_text(text, inner, around)
        try:
            return f"write `{around.key}: {flow_list(shlex.split(text))}`"
        except ValueError:
            return f"write `{in_shell(text, around.key)}`"
    ours = [_with_placeholders(word, around) if " " not in word else word for word in words]
    if list(words) != ours and syntax_among(ours, ours) is None:
        return f"write `{around.key}: {flow_list(ours)}`"
    text = " ".join(_quoted(word) for word in ours)
    return for_text(text, syntax_in(text) or found, around)


def literal(words: Sequence[str]) -> str:
    """A command as a text whose every word reaches the program as it is, however much it looks like shell syntax."""
    text = shlex.join(words)
    if syntax_in(text) is None:
        return text
    return " ".join("'" + word.replace("'", "'\"'\"'") + "'" for word in words)


def in_shell(text: str, key: str) -> str:
    """`key: [sh, -c, …]` for a text that a shell is to read; `bash` where only that one knows its syntax."""
    bare, _ = bared(text)
    shell = "bash" if _BASH.search(bare) else "sh"
    # `source` is bash's word for `.`, which looks for a name without a slash in PATH.
    for found in reversed(list(re.finditer(r"(?:^|(?<=[;&|(\n]))\s*(source|\.)\s+(\S+)", bare))):
        file = text[found.start(2) : found.end(2)]
        dotted = file if "/" in file or file.startswith("$") else f"./{file}"
        text = f"{text[: found.start(1)]}. {dotted}{text[found.end(2) :]}"
    bare, _ = bared(text)
    if ends := re.search(r"\s*(?<!&)&\s*\Z", bare):
        text, bare = text[: ends.start()], bare[: ends.start()]
    first = bare.split(None, 1)[0] if bare.split() else ""
    is_simple = not _JOINED.search(re.sub(r"\d?>&\d|&>", "", bare)) and not re.match(ASSIGNMENT, first)
    if is_simple and re.match(r"[\w./~$\0-]+\Z", first) and first not in BUILTINS:
        text = f"exec {text}"
    if len(text) > LONGEST:
        return f'{key}: [{shell}, -c, "…"]` with the whole text instead of `…'
    return f"{key}: [{shell}, -c, {_double(text)}]"


def flow_list(words: Sequence[str]) -> str:
    """A list in one line of YAML."""
    return f"[{', '.join(map(flow, words))}]"


def flow(word: str) -> str:
    """A text as an item of a list in one line of YAML."""
    return word if _PLAIN.fullmatch(word) and word != "-" and word.lower() not in _OLD else _double(word)


def block(text: str) -> str:
    """A text behind `key: `."""
    has_meaning = text.lower() in _OLD or _UNSAFE.search(text) or not text
    return _double(text) if has_meaning else text


def _double(text: str) -> str:
    if ('"' in text or "\\" in text) and "'" not in text and text.isprintable():
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _with_placeholders(text: str, around: Around) -> str:
    """The port and the home folder as portsup fills them in itself."""
    bare, soft = bared(text)
    for found in reversed(list(re.finditer(r"\$([A-Za-z_]\w*)", soft))):
        if around.port and found[1] == around.port:
            text = f"{text[: found.start()]}{{port}}{text[found.end() :]}"
        elif found[1] in ("HOST", "HOME") and not (found[1] == "HOME" and around.user):
            filled = "{host}" if found[1] == "HOST" else "${HOME}"
            text = text[: found.start()] + filled + text[found.end() :]
    bare, _ = bared(text)
    if not around.user:
        for found in reversed(list(re.finditer(r"(?<!\S)~(?=/|\s|\Z)", bare))):
            text = f"{text[: found.start()]}${{HOME}}{text[found.end() :]}"
    return text


def _peeled(text: str) -> _Peeled:
    found = _Peeled(text, variables=[], files=[])
    assert found.variables is not None
    assert found.files is not None
    while True:
        rest = found.rest
        bare, soft = bared(rest)
        then = r"\s*(?:&&|;|\n)\s*(?=\S)"
        if (cd := re.match(rf"cd\s+([^\s;&|]+){then}", bare)) and not found.folder:
            value, end = rest[cd.start(1) : cd.end(1)], cd.end()
            if _has_shell(soft[cd.start(1) : cd.end(1)]):
                return found
            found.folder = _unquoted(value)
        elif source := re.match(rf"(?:source|\.)\s+([^\s;&|]+){then}", bare):
            file, end = _unquoted(rest[source.start(1) : source.end(1)]), source.end()
            if not re.search(r"(?:^|/)(?:\.env[\w.-]*|[\w.-]+\.env)$", file) or _has_shell(file):
                return found
            found.files.append(file)
        elif export := re.match(rf"export\s+({ASSIGNMENT})([^\s;&|]*){then}", bare) or re.match(
            rf"({ASSIGNMENT})(\S*)\s+(?=[^\s;&|<>])", bare
        ):
            end = export.end()
            if _has_shell(soft[export.start(2) : export.end(2)]) or "+" in export[1]:
                return found
            name, value = export[1].rstrip("="), _unquoted(rest[export.start(2) : export.end(2)])
            found.variables.append((name, value))
        elif runs := re.match(r"(?:exec|nohup)\s+(?=\S)", bare):
            end = runs.end()
        else:
            break
        found.rest = rest[end:]
    bare, _ = bared(found.rest)
    if ends := re.search(r"\s*(?<!&)&\s*\Z", bare):
        found.rest = found.rest[: ends.start()]
    return found


def _keys(peeled: _Peeled, around: Around) -> str:
    parts = [f"`{around.key}: {block(peeled.rest)}`"]
    variables = peeled.variables or []
    for name, value in variables:  # the port is not for the file to set
        if name == "PORT" and not around.port and re.fullmatch(r"[1-9]\d{1,4}", value) and int(value) < 65534:
            parts.append(f"`pool: {value}-{int(value) + 2}`")
    variables = [(name, value) for name, value in variables if name != (around.port or "PORT") or not value.isdigit()]
    shown = [(name, HIDDEN if is_secret_name(name) and "${" not in value else value) for name, value in variables]
    if peeled.folder:
        parts.append(f"`working_dir: {block(_joined(around.working_dir, peeled.folder))}`")
    for file in peeled.files or ():
        parts.append(f"`env_file: {block(_joined(peeled.folder, file))}`")
    if variables and around.environment == "list":
        parts += [f"`- {name}={value}` in `environment`" for name, value in shown]
    elif variables and around.environment:
        parts += [f"`{name}: {block(value)}` in `environment`" for name, value in shown]
    elif variables:
        inside = ", ".join(f"{name}: {flow(value)}" for name, value in shown)
        parts.append(f"`environment: {{{inside}}}`")
    return "write " + (f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0])


def _with_quoted_end(text: str) -> str:
    """The end of `nginx -g daemon off;`, which is one argument, in quotes; empty where the text ends otherwise."""
    found = re.search(r"\s-{1,2}[\w-]+\s+(?=[^-\s])", text)
    if not text.endswith(";") or ";" in text[:-1] or not found or "'" in text[found.end() :]:
        return ""
    return f"{text[: found.end()]}'{text[found.end() :]}'"


def _joined(folder: str, path: str) -> str:
    return path if path.startswith(("$", "~")) else os.path.normpath(os.path.join(folder, path))


def _has_shell(piece: str) -> bool:
    return bool(re.search(r"[$`*?]", piece))


def _unquoted(piece: str) -> str:
    try:
        return "".join(shlex.split(piece))
    except ValueError:
        return piece


def _quoted(word: str) -> str:
    """A word of a list as a shell has to see it, so that it does what the list was meant to."""
    if re.fullmatch(r"&&|\|\|?&?|\d?(?:>>|>|<)(?:&\d|[\w./-]*)|&>?[\w./-]*|;", word):
        return word
    if re.match(ASSIGNMENT, word) and "$" not in word:
        name, _, value = word.partition("=")
        return f"{name}={shlex.quote(value)}" if value else word
    if "$" in word or "`" in word:
        return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if word.startswith("~/") or re.fullmatch(r"[\w./:@{}=,-]+", word):
        return word
    return shlex.quote(word)
