"""Why a program cannot be run, as the error for the one who has to act on it."""

from supervisor.errors import SpawnError


def empty() -> SpawnError:
    """There is no program in the command."""
    return SpawnError("cannot run an empty command", hint="name a program")


def _not_run(name: str, why: str, hint: str = "") -> SpawnError:
    return SpawnError(f"cannot run `{name}`", why, hint)


def no_file(name: str, path: str, working_dir: str) -> SpawnError:
    """The path leads nowhere."""
    return _not_run(name, f"there is no file `{path}`", f"check the path; it is seen from `{working_dir}`")


def not_found(name: str, search: str, close: str, is_here: bool) -> SpawnError:
    """No folder of PATH has it; `close` is a name that is much like it, `is_here`: the working directory has it."""
    hint = f"did you mean `{close}`?" if close else "install it, or give its full path"
    if is_here:
        hint = f"`{name}` is in the working directory: write `./{name}`"
    return _not_run(name, f"command not found in PATH ({search})", hint)


def no_program(name: str, path: str) -> SpawnError:
    """The system does not know what kind of file it is."""
    hint = f"begin it with a line such as `#!/bin/sh`, or put its interpreter before it: `sh {name}`"
    return _not_run(name, f"`{path}` is neither a program for this machine nor a script that begins with #!", hint)


def no_interpreter(name: str, path: str, interpreter: str) -> SpawnError:
    """What runs it does not exist; which that is may be unknown."""
    if not interpreter:
        return _not_run(name, f"`{path}` or the loader it was linked for does not exist")
    why = f"`{path}` wants the interpreter `{interpreter}`, which does not exist"
    return _not_run(name, why, "install it, or correct the first line of the script")


def too_large(name: str, size: int) -> SpawnError:
    """Its arguments and environment are too large; `size` in bytes."""
    why = f"its arguments and environment have {size} bytes, more than the system takes"
    return _not_run(name, why, "pass large values in a file")


def too_many_files(name: str) -> SpawnError:
    """No descriptor is left."""
    return _not_run(name, "too many files are open", "raise the limit with `ulimit -n` before portsup starts")


def too_many_processes(name: str) -> SpawnError:
    """No process is left."""
    return _not_run(name, "the limit of processes is reached", "end some, or raise it with `ulimit -u`")


def no_memory(name: str) -> SpawnError:
    """No memory is left."""
    return _not_run(name, "not enough memory for one more process")


def refused(name: str, why: str) -> SpawnError:
    """The system says something else."""
    return _not_run(name, why)


def directory_closed(name: str, working_dir: str) -> SpawnError:
    """Its working directory may not be entered."""
    return _not_run(name, f"its working directory `{working_dir}` may not be entered", "check its permissions")


def no_directory(name: str, working_dir: str, is_there: bool) -> SpawnError:
    """Its working directory does not exist, or is none if something `is_there`."""
    reason = "is not a directory" if is_there else "does not exist"
    return _not_run(name, f"its working directory `{working_dir}` {reason}", "create it, or name another one")


def a_directory(name: str, path: str) -> SpawnError:
    """It is no program but a directory."""
    return _not_run(name, f"`{path}` is a directory", "name a program")


def not_executable(name: str, path: str, is_allowed: bool) -> SpawnError:
    """It may not be executed; `is_allowed` by its permissions, so something else is in the way."""
    if is_allowed:
        hint = "is it on a file system mounted noexec, or is its interpreter not executable?"
        return _not_run(name, f"the system refuses to execute `{path}`", hint)
    return _not_run(name, f"`{path}` is not executable", f"make it so with `chmod +x {path}`")


def account_refused(name: str, account: str, path: str) -> SpawnError:
    """It may not be executed by the account that it is to run as."""
    why = f"{account} may not execute `{path}`, or portsup may not become it"
    return _not_run(name, why, "check the permissions of the program and of the directories above it")


def held_up(name: str, account: str) -> SpawnError:
    """Others of the account that it is to run as, "" for ours, do not let it begin."""
    who = account or "its user"
    return _not_run(name, f"a process of {who} stops it (SIGSTOP) before it begins", f"end what runs as {who}")


def limits_refused(name: str, why: str) -> SpawnError:
    """The system refuses its limits."""
    return _not_run(name, f"the system refuses its `limits`: {why}", "`ulimit -aH` shows what is allowed")


def no_limits() -> SpawnError:
    """The system knows no limits of processes."""
    return SpawnError("cannot set its limits", "Windows has none for single processes", "leave out `limits`")


def limit_too_high(name: str, value: int, most: int) -> SpawnError:
    """One of its limits is above what this user may have."""
    why = f"`limits: {{{name}: {value}}}` is above {most}, the most that this system allows us"
    hint = f"write at most {most}, or start portsup as root, which in a container needs CAP_SYS_RESOURCE for that"
    return SpawnError("cannot set its limits", why, hint)


_LONGEST = 32  # characters of a name or number that are shown


def account_of(user: str, group: str) -> str:
    """A user and a group, by name or number."""
    return " and ".join(f"{what} `{_short(name)}`" for what, name in (("user", user), ("group", group)) if name)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _no_account(account: str, why: str, hint: str) -> SpawnError:
    return SpawnError(f"cannot run anything as {account}", why, hint)


def group_unknown(account: str) -> SpawnError:
    """A number alone does not tell its group."""
    return _no_account(account, "the system does not know that user, and so not its group", "say which `group`")


def not_root(account: str, uid: int) -> SpawnError:
    """Only root may run programs as others."""
    why = f"only root can do that, and portsup runs as user {uid}"
    return _no_account(account, why, "start portsup as root, or leave it out")


def no_accounts(account: str) -> SpawnError:
    """Programs run as who we are."""
    return _no_account(account, "Windows starts a program as another user only with a password", "leave out `user`")


def no_user(account: str) -> SpawnError:
    """There is no such user."""
    return _no_account(account, "there is no such user", "correct it, or make it with `useradd`")


def no_group(account: str) -> SpawnError:
    """There is no such group."""
    return _no_account(account, "there is no such group", "correct it, or make it with `groupadd`")


def no_number(account: str, text: str, most: int) -> SpawnError:
    """The number is too large for a user or a group."""
    return _no_account(account, f"there is no number {_short(text)}", f"numbers end at {most}")


PATH = "the path of the program"


def argument(number: int) -> str:
    """Which argument it is."""
    return f"argument {number}"


def variable(name: str) -> str:
    """Which variable it is."""
    return f"the variable {name!r}"


def not_encoded(what: str) -> SpawnError:
    """Something has characters that the encoding of the system does not have."""
    return SpawnError(f"cannot pass on {what}", "it has characters that cannot be encoded")


def has_nul(what: str) -> SpawnError:
    """Something has a NUL, which ends a text in C."""
    return SpawnError(f"cannot pass on {what}", "it has a NUL character")


def bad_name(name: str) -> SpawnError:
    """No variable can be called like this."""
    return SpawnError(f"cannot pass on {variable(name)}", "its name has a =" if name else "it has no name")
