"""What fills in `%i` and its kind in a unit, and what marks that something else fills in before systemd reads it."""

import os.path
import platform
import re
from collections.abc import Callable, Iterator, Mapping

from supervisor.convert import systemd_folders
from supervisor.convert.draft import Draft

_SUFFIX = re.compile(r"\.service(?:\.(?:in|example|sample|template|tmpl|tpl|dist|j2|erb))*$")
# `@BINDIR@` of configure, `__NAME__` of a script, `{{ name }}` of Ansible and its kind, `<name>` for a reader.
_MARK = re.compile(r"@[A-Za-z_]\w*@|__[A-Z][A-Z0-9_]*__|\{\{.*?\}\}|\{%.*?%\}|<[A-Za-z][\w-]*>", re.ASCII)
_READ_BY_SHELL = re.compile(r"\b(?:ba|da|z)?sh\s+-\w*c\b")


def stem(path: str) -> str:
    """`api` for `api.service`, and for `api.service.in`, from which it is made; of a template, `api@`."""
    return _SUFFIX.sub("", os.path.basename(path))


def filler(draft: Draft, path: str, default: str, is_of_user: bool) -> Callable[[str], str]:
    """What fills in the specifiers of a unit, systemd.unit(5); those that nobody here knows are said.

    `default` is the instance that a template has where none is named.
    """
    name = stem(path)
    prefix, at, instance = name.partition("@")
    instance = instance or default
    name = f"{prefix}@{instance}" if at else name
    last = prefix.rpartition("-")[2]
    values = {
        "n": name + ".service", "N": name, "p": prefix, "P": _unescaped(prefix), "i": instance,
        "I": _unescaped(instance), "j": last, "J": _unescaped(last), "f": f"/{_unescaped(instance or prefix)}",
        "T": "/tmp", "V": "/var/tmp", "%": "%", "h": os.path.expanduser("~"), **_who(),
    }  # fmt: skip
    values |= dict(zip("tSCLE", systemd_folders.bases(is_of_user), strict=True))
    of_machine = {"H": platform.node(), "l": platform.node().partition(".")[0], "v": platform.release()}

    def fill(text: str) -> str:
        def value(match: re.Match[str]) -> str:
            letter = match[1]
            if letter in "iIf" and at and not instance:
                remedy = f"convert its instances: `--from {prefix}@1.service --from {prefix}@2.service`"
                draft.leave("`%i`", "the unit is a template, and nothing says of what", remedy)
                return "%i"
            if letter in of_machine:
                note = f"`%{letter}` is of this machine: `{of_machine[letter]}`"
                if note not in draft.notes:
                    draft.notes.append(note)
                return of_machine[letter]
            if letter not in values:
                draft.leave(f"`%{letter}`", "portsup does not know it", "put its value there")
                return match[0]
            return values[letter]

        return re.sub(r"%([A-Za-z%])", value, text)

    return fill


def _unescaped(text: str) -> str:
    """A name as `systemd-escape --unescape` gives it: `dev-sda` is `dev/sda`."""
    plain = text.replace("-", "/")
    return re.sub(r"\\x([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), plain)


def _who() -> dict[str, str]:
    """`%u`, `%U`, `%g`, `%G` and `%s`: who runs it, which is who runs portsup."""
    try:
        import grp
        import pwd

        me = pwd.getpwuid(os.getuid())
        group = grp.getgrgid(me.pw_gid).gr_name
    except (ImportError, KeyError):
        return {}
    return {"u": me.pw_name, "U": str(me.pw_uid), "g": group, "G": str(me.pw_gid), "s": me.pw_shell or "/bin/sh"}


def home_of(user: str) -> str:
    """The home directory of a user of this machine; empty where there is no such user."""
    try:
        import pwd

        return pwd.getpwuid(int(user)).pw_dir if user.isdecimal() else pwd.getpwnam(user).pw_dir
    except (ImportError, KeyError, OverflowError):
        return ""


def leave_marks(draft: Draft, service: Mapping[str, list[str]]) -> None:
    """Say which texts something fills in before systemd reads the unit, as far as they are known by their signs."""
    marks = list(dict.fromkeys(_marks(service)))
    if marks:
        shown = ", ".join(f"`{mark}`" for mark in marks[:5]) + (" …" if len(marks) > 5 else "")
        draft.leave(shown, "something fills this in before systemd reads the unit", "put the values there")


def _marks(service: Mapping[str, list[str]]) -> Iterator[str]:
    for values in service.values():
        for value in values:
            if not _READ_BY_SHELL.search(value):  # there `<in>` is a file
                yield from _MARK.findall(value)
