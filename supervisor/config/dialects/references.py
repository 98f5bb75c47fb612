"""What other programs fill in, and portsup passes on as it is: `%(ENV_HOME)s`, `{{ .Env.HOME }}`, `{env.HOME}`."""

import re
from collections.abc import Iterator

_REFERENCE = re.compile(
    r"%\((?:ENV_(?P<supervisord>\w+)|(?P<own>program_name|group_name)|(?P<number>process_num))\)\d*[sd]"
    r"|(?<!\{)\{env[.:](?P<caddy>[A-Za-z_]\w*)\}(?!\})"
    r"|\{\{\s*\.?(?:(?:Env|env|ENV|Values|vars|secrets)\.(?P<template>\w+)|(?P<upper>[A-Z][A-Z0-9]*_?[A-Z0-9_]+))\s*\}\}"
    r"|(?:(?<=port[= ])|(?<=\w:))(?P<port>\{\{\s*\.?(?:port|Port)\s*\}\}|\{port(?=\s|\Z))"
    r"|(?P<windows>%(?:PORT|HOME|USERPROFILE)%)",
    re.ASCII,
)
# A word that is nothing but what manuals and templates write for a port, perhaps behind an option or an address.
_ALONE = re.compile(
    r"(?:[^\s=]*=)?(?:\w+://)?(?:\d+(?:\.\d+){3}|localhost|\[[\da-f:]*\]|\*)?(?:"
    r":?(?P<word><port>|__port__|@port@|%port%|%\(port\)[sd]|<%=\s*port\s*%>|\{port)|(?P<route>:port))",
    re.ASCII | re.IGNORECASE,
)
# In other words these two may be for the program itself: `{{port}}` is how the characters `{port}` are written.
_TEMPLATE = re.compile(r"\{\{\s*\.?port\s*\}\}", re.ASCII | re.IGNORECASE)
_OPTION = re.compile(r"-p|--?[\w-]*port", re.ASCII | re.IGNORECASE)


def foreign(text: str, service: str, before: str = "") -> Iterator[tuple[int, str, str]]:
    """Offset, text and what to write for each reference of another program; `service` is whose text it is.

    `before` is the word before it in a command.  What is there several times is given once.
    """
    known: set[str] = set()
    if (alone := _ALONE.fullmatch(text)) is not None:
        group = "word" if alone["word"] else "route"
        known.add(alone[group])
        yield alone.start(group), alone[group], ":{port}" if group == "route" else "{port}"
    elif _TEMPLATE.fullmatch(text) and _OPTION.fullmatch(before):
        known.add(text)
        yield 0, text, "{port}"
    if "{" not in text and "%" not in text:
        return
    for match in _REFERENCE.finditer(text):
        if match[0] not in known:
            known.add(match[0])
            yield match.start(), match[0], _meant(match, service)


def _meant(match: re.Match[str], service: str) -> str:
    name = match["supervisord"] or match["caddy"] or match["template"] or match["upper"] or ""
    if match["windows"]:
        name = match["windows"].strip("%")
    if match["port"] or name.upper() == "PORT":
        return "{port}"
    if match["own"]:
        return service
    return "$PORTSUP_REPLICA" if match["number"] else f"${{{name}}}"
