"""Commands that are run beside a service (checks, hooks, `stop_command`): they follow it to the port that it gets."""

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

from supervisor.config import interpolate, placeholders
from supervisor.convert.draft import Draft, Filled

_HOST = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])"
_OPTIONS = ("-p", "--port")
# Clients that ask a port without being told, and what makes them ask another one.
_CLIENTS = {
    "redis-cli": (6379, "-p {port}"), "valkey-cli": (6379, "-p {port}"), "keydb-cli": (6379, "-p {port}"),
    "pg_isready": (5432, "-h 127.0.0.1 -p {port}"), "mongosh": (27017, "--port {port}"),
    "mongo": (27017, "--port {port}"), "mysqladmin": (3306, "--protocol=tcp -P {port}"),
    "mariadb-admin": (3306, "--protocol=tcp -P {port}"), "mysql": (3306, "--protocol=tcp -P {port}"),
    "mariadb": (3306, "--protocol=tcp -P {port}"),
}  # fmt: skip
_WITHOUT_PORT = re.compile(r"(http://(?:localhost|127\.0\.0\.1))(?![:\w.-])", re.ASCII)


def follow(draft: Draft) -> None:
    """Put `{port}` in place of the service's own port, as the source names it, in the commands beside it."""
    numbers = {*draft.ports[:1], *draft.inner}
    if not draft.has_pool or not numbers:
        return
    for key in ("ready", "healthcheck"):
        probe = draft.fields.get(key)
        if isinstance(probe, dict) and "exec" in probe:
            draft.fields[key] = {**probe, "exec": _words(probe["exec"], numbers)}
    if "stop_command" in draft.fields:
        draft.fields["stop_command"] = _words(draft.fields["stop_command"], numbers)
    if hooks := draft.fields.get("hooks"):
        draft.fields["hooks"] = {name: _words(command, numbers) for name, command in hooks.items()}


# `ngrok http 3000`, `lt --port 3000`, `wait-on tcp:3000`: what names the port of another one as a number.
_ASKING = re.compile(
    r"(?<![\w.-])(?:(?:ngrok\s+(?:http|tcp)|wait-port)\s+(?:--?\S+\s+)*|(?:lt|localtunnel)\s[^;&|\n]{0,200}?(?:--port|-p)[\s=]+"
    r"|wait-on\s[^;&|\n]{0,200}?tcp:)(?P<port>\d{2,5})(?![\w.:])",
    re.ASCII,
)


def ask(draft: Draft, doors: Mapping[int, Sequence[Draft]]) -> None:
    """Follow the port in `redis-cli -p 6380`, the command of a service, to the neighbour that listens there.

    `doors` has the services by the first ports of their pools.
    """
    words = draft.fields.get("command")
    if isinstance(words, list):
        _ask_by_number(draft, words, doors)
    if not isinstance(words, list) or words[0].rpartition("/")[2] not in (*_CLIENTS, "psql"):
        return
    hosts = [word for before, word in pairwise(words) if before in ("-h", "--host")]
    if not all(re.fullmatch(_HOST, host) for host in hosts):
        return
    for at in range(2, len(words)):
        others = doors.get(int(words[at][:6]), ()) if words[at].isdecimal() else ()
        if words[at - 1] in ("-p", "-P", "--port") and len(others) == 1 and others[0] is not draft:
            words[at] = Filled(f"{{port:{others[0].name}}}")


def _ask_by_number(draft: Draft, words: list[str], doors: Mapping[int, Sequence[Draft]]) -> None:
    """The same for `ngrok http 3000` and its kind, also in the text of a shell."""
    is_shell = len(words) == 3 and words[1].startswith("-") and words[1].endswith("c")
    for found in list(_ASKING.finditer(words[2] if is_shell else " ".join(words))):
        others = [each for each in doors.get(int(found["port"]), ()) if each is not draft]
        if len(others) != 1:
            continue
        number = re.compile(rf"(?<![\w.]){found['port']}(?![\w.])", re.ASCII)
        at = 2 if is_shell else next((at for at, word in enumerate(words) if number.search(word)), 0)
        text = words[at] if isinstance(words[at], Filled) else placeholders.literally(interpolate.literally(words[at]))
        asked = found[0].rpartition(found["port"])[0] if is_shell else ""
        mark = f"{{port:{others[0].name}}}"
        if is_shell and f"{asked}{found['port']}" in text:
            words[at] = Filled(text.replace(f"{asked}{found['port']}", f"{asked}{mark}"))
        elif not is_shell:
            words[at] = Filled(number.sub(mark, text))


def _words(command: Any, numbers: Collection[int]) -> Any:
    if not isinstance(command, list) or not command:
        return command
    command = _asked(command, numbers)
    ports = "|".join(map(str, sorted(numbers)))
    inside = re.compile(rf"({_HOST}(?::|/|\s+|['\"],\s*)|(?:-p|--port)(?:\s+|=))(?:{ports})(?![\d.])", re.ASCII)
    return [_word(word, before, inside, numbers) for before, word in zip(["", *command[:-1]], command, strict=True)]


def _asked(command: list[str], numbers: Collection[int]) -> list[str]:
    """The words with the port where a well-known client asks the one that it takes for granted."""
    program, *rest = command
    if rest[:1] == ["-c"] and len(rest) == 2:
        return [program, "-c", _asked_in_text(rest[1], numbers)]
    number, option = _CLIENTS.get(program.rpartition("/")[2], (0, ""))
    if number not in numbers or (more := _more(option, rest)) is None:
        return command
    return [program, *(Filled(word) if "{" in word else word for word in more.split()), *rest]


def _asked_in_text(text: str, numbers: Collection[int]) -> str:
    for name, (number, option) in _CLIENTS.items():
        found = re.search(rf"(?:^|[;&|(\s]){name}(?=\s|$)(?P<own>[^;&|)]*)", text)
        if number in numbers and found and (more := _more(option, found["own"].split())):
            shown = text if isinstance(text, Filled) else placeholders.literally(interpolate.literally(text))
            text = Filled(re.sub(rf"((?:^|[;&|(\s]){name})(?=\s|$)", rf"\1 {more}", shown, count=1))
    return text


def _more(option: str, words: list[str]) -> str | None:
    """What makes a client ask the port; None where its words say where it asks."""
    told = r"-P|--port|-S|--socket|--protocol" if "-P" in option else r"-p|--port|-s$|-u$|\w+://"
    for word, following in pairwise([*words, ""]):
        if re.match(told, word):
            return None
        host = following if word in ("-h", "--host") else word.removeprefix("--host=") if "--host=" in word else ""
        if host and not re.fullmatch(_HOST, host):
            return None
        option = option.removeprefix("-h 127.0.0.1 ") if host else option
    return option


def _word(word: str, before: str, inside: re.Pattern[str], numbers: Collection[int]) -> str:
    if word.isdecimal() and int(word[:6]) in numbers and (before in _OPTIONS or re.fullmatch(_HOST, before)):
        return Filled("{port}")
    text = word if isinstance(word, Filled) else placeholders.literally(interpolate.literally(word))
    found = inside.sub(r"\1{port}", text)
    if 80 in numbers:
        found = _WITHOUT_PORT.sub(r"\1:{port}", found)
    return Filled(found) if found != text else word
