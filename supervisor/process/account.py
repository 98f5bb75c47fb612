"""The user and the groups that a program runs as, where they are not our own."""

import grp
import os
import pwd
from collections.abc import Mapping

from supervisor.dataclass import dataclass, field
from supervisor.process.executable import SpawnError


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
    words = " and ".join(f"{what} `{name}`" for what, name in (("user", user), ("group", group)) if name)
    what = f"cannot run anything as {words}"
    entry = _user(user, what) if user else None
    uid = _number(user, what) if entry is None and user else entry.pw_uid if entry else None
    if group:
        gid = _group(group, what)
    elif entry is not None:
        gid = entry.pw_gid
    else:
        raise SpawnError(what, "the system does not know that user, and so not its group", "say which `group`")
    groups = tuple(os.getgrouplist(entry.pw_name, gid)) if entry is not None else (gid,)
    found = Account(uid, gid, groups, words, {} if entry is None else _variables(entry))
    if os.geteuid() != 0:
        if uid in (None, os.geteuid()) and gid == os.getegid():
            return None
        hint = "start portsup as root, or leave it out"
        raise SpawnError(what, f"only root can do that, and portsup runs as user {os.geteuid()}", hint)
    return found


def _user(user: str, what: str) -> pwd.struct_passwd | None:
    """Its entry; None for a number without one."""
    try:
        return pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
    except (KeyError, OverflowError):
        if user.isdecimal():
            return None
        raise SpawnError(what, "there is no such user", "correct it, or make it with `useradd`") from None


def _group(group: str, what: str) -> int:
    if group.isdecimal():
        return _number(group, what)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise SpawnError(what, "there is no such group", "correct it, or make it with `groupadd`") from None


def _number(text: str, what: str) -> int:
    """A uid or gid; the calls of the C library take 32 bits, and 2**32 for root.  The last one means "no change"."""
    if int(text) >= 2**32 - 1:
        raise SpawnError(what, f"there is no number {text}", f"numbers end at {2**32 - 2}")
    return int(text)


def _variables(entry: pwd.struct_passwd) -> dict[str, str]:
    told = {"HOME": entry.pw_dir, "USER": entry.pw_name, "LOGNAME": entry.pw_name, "SHELL": entry.pw_shell}
    return {name: value for name, value in told.items() if value}
