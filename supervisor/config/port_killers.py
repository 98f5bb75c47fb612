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


def without(script: str) -> tuple[str, str]:
    """A script of a shell without the first such command that others follow, and that command; "" if there is none."""
    found = _BEFORE_OTHERS.search(script) if len(script) < LONGEST else None
    if found is None:
        return script, ""
    before, after = script[: found.start()], script[found.end() :]
    gap = "" if before.endswith("\n") or not before else " "
    return f"{before.rstrip(' ')}{gap}{after}".strip(), " ".join(found["killer"].split())


def in_script(script: str) -> str:
    """The first such command of a script; empty if there is none."""
    found = _ANYWHERE.search(script) if len(script) < LONGEST else None
    return " ".join(found["killer"].split()) if found else ""
