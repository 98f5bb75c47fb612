"""The names in a services.yaml (services, keys, variables, hosts, users, folders), which no secret may mask; and the
secrets in its commands.
"""

from collections.abc import Iterator
from collections.abc import Sequence as Words

from supervisor.config.fields import Found
from supervisor.config.secret_names import is_secret_name
from supervisor.config.secrets import (
    SHORTEST,
    Names,
    header_variable,
    masked_words,
    names_in,
    secret_values,
    secrets_among,
    words_in,
)
from supervisor.config.spec import Hook, ServiceSpec
from supervisor.config.texts import words
from supervisor.config.tree import Mapping as MappingNode
from supervisor.config.tree import Node, Scalar, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

# Their values are names; of `command` and its like the program is one, and every path.
_NAMES = frozenset((
    "name", "service", "user", "group", "profiles", "depends_on", "extends", "working_dir", "env_file", "path", "file",
    "template", "to", "description",
))  # fmt: skip
_COMMANDS = frozenset(("command", "exec"))
_HERE = ("127.0.0.1", "localhost")


def identifiers(tree: Node, path: "Path") -> Names:
    """All of the file at `path`, variables filled in: those in it, and those that are shown of any stack.

    These are the directories that the file is in, the last of which names the stack, and the addresses of this machine.
    """
    texts: list[str] = [path.parent.name]
    found = {word for name in _walked(tree, "", texts) for word in words_in(name)}
    found.update(_HERE, *(map(words_in, path.parent.parts)))
    return Names(frozenset(found), "\n".join(texts))


def secrets_of(spec: ServiceSpec) -> Iterator[tuple[str, str]]:
    """The secrets that stand in the commands and probes of a service, each with the key that they stand in."""
    lines: list[tuple[str, Words[str]]] = [("command", spec.command)]
    for hook, each in spec.all_hooks.items():
        lines.append((str(hook) if hook is Hook.STOP_COMMAND else f"hooks.{hook}", each.command))
    checks = [("ready", spec.ready.probe)] + ([("healthcheck", spec.healthcheck.probe)] if spec.healthcheck else [])
    for key, probe in checks:
        lines += [(f"{key}.{probe.kind}", probe.command), (f"{key}.{probe.kind}", (probe.target,))]
        for name, value in probe.ask.headers if probe.ask is not None else ():
            yield from ((f"{key}.http.headers.{name}", found) for found in secret_values(header_variable(name), value))
    for what, line in lines:
        yield from ((what, found) for found in secrets_among(line))


def filled_in(name: str, service: Found, secrets: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Where variables put one of `secrets` into a service, as the path of the text, and which."""
    numbers: dict[str, int] = {}
    for path, word in words(service.value):
        number = numbers[path] = numbers.get(path, -1) + 1
        is_secret = word.node.secret or (number > 0 and word.whole is not None and word.whole.secret)
        if is_secret and (found := frozenset(secret for secret in secrets if secret in word.text)):
            is_list = path.split(".")[0] in ("command", "hooks", "stop_command") or path.endswith(".exec")
            yield f"services.{name}.{path}[{number}]" if is_list else f"services.{name}.{path}", found


def _walked(node: Node, key: str, texts: list[str]) -> Iterator[str]:
    """The names; in `texts` those of services, whose parts are names as well."""
    match node:
        case MappingNode():
            for entry in node:
                yield entry.key.text
                if key == "services":
                    texts.append(entry.key.text)
                inner = entry.key.text if key != "environment" else f"{entry.key.text}="
                yield from _walked(entry.value, inner, texts)
        case Sequence() if key in _COMMANDS:
            yield from _of_command([item.text for item in node.items if isinstance(item, Scalar)])
        case Sequence():
            for item in node.items:
                if isinstance(item, Scalar) and key == "environment":
                    name, _, value = item.text.partition("=")
                    yield name
                    yield from _of_variable(name, value)
                else:
                    yield from _walked(item, key, texts)
        case Scalar() if key in _COMMANDS:
            from shlex import split  # most commands are lists

            try:
                yield from _of_command(split(node.text))
            except ValueError:  # quotes that are not closed
                yield from _of_command(node.text.split())
        case Scalar() if key == "http":
            yield from names_in(masked_words([node.text])[0])
        case Scalar() if key in _NAMES and not node.secret and "://" not in node.text:
            yield node.text
            yield from names_in(node.text)
        case Scalar() if key.endswith("="):
            yield from _of_variable(key[:-1], node.text)


def _of_variable(name: str, value: str) -> Iterator[str]:
    if not is_secret_name(name):
        yield from names_in(value)


def _of_command(line: list[str]) -> Iterator[str]:
    if line:
        yield from words_in(line[0]) if "/" not in line[0] else ()
    for word in masked_words(line):
        if len(word) >= SHORTEST:
            yield from names_in(word)
