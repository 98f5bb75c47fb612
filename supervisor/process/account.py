"""The user and the groups that a program runs as, where they are not our own."""

import os
from collections.abc import Mapping

from supervisor import system
from supervisor.dataclass import dataclass, field
from supervisor.words import programs

if not system.HAS_JOBS:
    import grp
    import pwd


_MOST_DIGITS = 20  # above all that 64 bits can say


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a program runs as; `uid` is None where only the group changes.  `variables` tell the program so."""

    uid: int | None
    gid: int
    groups: tuple[int, ...]
    words: str  # for messages
    variables: Mapping[str, str] = field(default_factory=dict)


def account(user: str, group: str) -> Account | None:
    """The account of a name or number each, None where that is what we are; raises SpawnError.

    As systemd.exec(5) has it, the program gets the groups that the user is in, and HOME, USER, LOGNAME and SHELL.
    """
    if not user and not group:
        return None
    words = programs.account_of(user, group)
    if system.HAS_JOBS:
        raise programs.no_accounts(words)
    entry = _user(user, words) if user else None
    uid = _number(user, words) if entry is None and user else entry.pw_uid if entry else None
    if group:
        gid = _group(group, words)
    elif entry is not None:
        gid = entry.pw_gid
    else:
        raise programs.group_unknown(words)
    groups = tuple(os.getgrouplist(entry.pw_name, gid)) if entry is not None else (gid,)
    found = Account(uid, gid, groups, words, {} if entry is None else _variables(entry))
    if os.geteuid() != 0:
        if uid in (None, os.geteuid()) and gid == os.getegid():
            return None
        raise programs.not_root(words, os.geteuid())
    return found


def _user(user: str, words: str) -> "pwd.struct_passwd | None":
    """Its entry; None for a number without one."""
    try:
        return pwd.getpwuid(_value(user)) if user.isdecimal() else pwd.getpwnam(user)
    except (KeyError, OverflowError):
        if user.isdecimal():
            return None
        raise programs.no_user(words) from None


def _group(group: str, words: str) -> int:
    if group.isdecimal():
        return _number(group, words)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise programs.no_group(words) from None


def _number(text: str, words: str) -> int:
    """A uid or gid; the calls of the C library take 32 bits, and 2**32 for root.  The last one means "no change"."""
    if _value(text) >= 2**32 - 1:
        raise programs.no_number(words, text, 2**32 - 2)
    return _value(text)


def _value(digits: str) -> int:
    """The number; of more digits than an account can have the first few, as `int` refuses thousands of them."""
    return int(digits.lstrip("0")[:_MOST_DIGITS] or "0")


def _variables(entry: "pwd.struct_passwd") -> dict[str, str]:
    told = {"HOME": entry.pw_dir, "USER": entry.pw_name, "LOGNAME": entry.pw_name, "SHELL": entry.pw_shell}
    return {name: value for name, value in told.items() if value}
