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


def foreign(text: str, service: str) -> Iterator[tuple[int, str, str]]:
    """Offset, text and what to write for each reference of another program; `service` is whose text it is.

    What is there several times is given once.
    """
    if "{" not in text and "%" not in text:
        return
    known: set[str] = set()
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
