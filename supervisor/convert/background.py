"""Commands that go to the background, kept in the foreground by a shell that waits in their place."""

import re
import shlex

from supervisor.convert.draft import Filled

FOREVER = "while :; do sleep 86400 & wait $!; done"


def kept(launch: list[str], stop: str = "", pid_file: str = "", told: str = "") -> list[str]:
    """A command that runs `launch`, and stays until it is asked to stop, or until the process in `pid_file` is gone.

    `stop` is a command line for a shell that ends what was launched, `told` a text to print once that has begun.
    """
    text = launch[2] if launch[1:2] == ["-c"] and len(launch) == 3 else _joined(launch)
    if text.startswith("exec "):  # the shell has to stay
        text = type(text)(text.removeprefix("exec "))
    quoted = shlex.quote(f"{stop}; exit" if stop else "exit")
    wait = f"echo {shlex.quote(told)} && {FOREVER}" if told else FOREVER
    if pid_file:
        known = f'"$(cat {shlex.quote(pid_file)})"'
        wait = f"while kill -0 {known} 2>/dev/null; do sleep 2 & wait $!; done"
    has_filled = isinstance(text, Filled)
    whole = f"trap {quoted} INT TERM; {{ {text}\n}} && {wait.replace('$', '$$') if has_filled else wait}"
    return ["sh", "-c", Filled(whole) if has_filled else whole]


def _joined(words: list[str]) -> str:
    joined = " ".join(word if re.fullmatch(r"[\w./:=@%+,{}-]+", word) else shlex.quote(word) for word in words)
    return Filled(joined) if any(isinstance(word, Filled) for word in words) else joined
