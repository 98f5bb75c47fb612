"""Commands that kill whoever has a port, as `lsof -ti :3000 | xargs kill` does: here that is portsup."""

import re

LONGEST = 20_000  # characters of a script that is looked at
_ANY = r"(?:[^;&|\n]|2>&1|&>)*"
_SUDO = r"(?:sudo\s+)?(?:npx\s+(?:-y\s+|--yes\s+)?)?"
_INTERNET = r"(?=(?:[^;&|\n]*\s)?-[A-Za-z]*i)"  # lsof also lists who has a file
_OF_PORTS = r"(?=[^;&|\n]*(?:/(?:tcp|udp)(?![\w/-])|-\w*n\s*(?:tcp|udp)\b))"  # fuser likewise
_KILL = r"(?:sudo\s+)?(?:xargs\s+(?:(?:-\S*|\d+|\{\}|%)\s+)*)?(?:sudo\s+)?(?:\w*sh\s+-c\s+[\"']\s*)?(?:/\w+)*/?\bkill\b"
_KILLER = (
    rf"{_SUDO}(?:"
    rf"(?:kill-port|fkill)\b{_ANY}"
    rf"|fuser\s{_OF_PORTS}(?=(?:[^;&|\n]*\s)?--?\w*k){_ANY}"
    rf"|lsof\s{_INTERNET}{_ANY}\|(?:{_ANY}\|)*\s*{_KILL}{_ANY}"
    rf"|kill\s+(?:-\w+\s+)*[\"']?(?:\$\(\s*(?:sudo\s+)?lsof\s{_INTERNET}[^)]*\)|`lsof\s{_INTERNET}[^`]*`){_ANY}"
    r")"
)
_FORGIVEN = rf"(?:\|\|\s*(?:true|:|exit 0|echo\b{_ANY})\s*)?"
_BEGIN = r"(?:^|(?<=[;\n])|(?<=&&))[ \t]*"
_BEFORE_OTHERS = re.compile(rf"{_BEGIN}(?P<killer>{_KILLER}){_FORGIVEN}(?:;|&&|\n)\s*(?=\S)", re.MULTILINE)
_ANYWHERE = re.compile(rf"{_BEGIN}(?P<killer>{_KILLER})", re.MULTILINE)

# What a shell does not run, a comment and a text; group 1 is what makes a text a script.
_SILENT = re.compile(
    r"\\.|(?:^|(?<=[\s;]))#[^\n]*|(\b(?:sh|bash|dash|zsh|ksh|eval)\s+(?:-\w{1,9}\s+){0,9})?(?:'[^']*'|\"(?:\\.|[^\"\\])*\")"
    r"|(\b\w{0,9}sh\b[^\n;&|<]{0,99})?<<-?\s{0,9}\\?(?P<quote>['\"]?)(?P<end>\w+)(?P=quote)[^\n]*\n(?:.*\n){0,300}?\s{0,99}(?P=end)$",
    re.MULTILINE,
)


def _first(pattern: re.Pattern[str], script: str) -> re.Match[str] | None:
    """The first place where a shell runs what is looked for."""
    if len(script) >= LONGEST or pattern.search(script) is None:
        return None
    silent = [found.span() for found in _SILENT.finditer(script) if not found[1] and not found[2]]
    runs = (each for each in pattern.finditer(script) if not any(at < each.start() < end for at, end in silent))
    return next(runs, None)


def without(script: str) -> tuple[str, str]:
    """A script of a shell without the first such command that others follow, and that command; "" if there is none."""
    found = _first(_BEFORE_OTHERS, script)
    if found is None:
        return script, ""
    before, after = script[: found.start()], script[found.end() :]
    gap = "" if before.endswith("\n") or not before else " "
    return f"{before.rstrip(' ')}{gap}{after}".strip(), " ".join(found["killer"].split())


def in_script(script: str) -> str:
    """The first such command of a script; empty if there is none."""
    found = _first(_ANYWHERE, script)
    return " ".join(found["killer"].split()) if found else ""
