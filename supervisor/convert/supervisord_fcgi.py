"""`[fcgi-program:x]` of supervisord: a program that finds its listening socket as descriptor 0."""

import re
import shlex
from collections.abc import Mapping

from supervisor.convert.draft import Draft, Filled, Left, Outcome
from supervisor.convert.own_port import is_number


def made(draft: Draft, given: Mapping[str, str], copies: int, outcome: Outcome) -> list[Draft]:
    """The service of a program whose socket is one of TCP; another one is left out, and shown in a comment."""
    socket = given.get("socket", "").strip()
    found = re.fullmatch(r"tcp://(?:[\w.-]*|\[[^\]]*\]):(\d+)", socket, re.ASCII)
    if not found or not is_number(found[1]):
        why = f"its socket is `{socket}`, and a pool has ports of TCP" if socket else "it has no `socket`"
        remedy = "let `spawn-fcgi -n -s PATH -- PROGRAM` make the socket, or let it listen on a port"
        outcome.left.append(Left(f"`[fcgi-program:{draft.name}]`", why, remedy))
        outcome.absent.append(draft)
        return []
    words = draft.fields["command"]
    has_filled = isinstance(words, str) or any(isinstance(word, Filled) for word in words)
    joined = words if isinstance(words, str) else " ".join(
        f'"{word}"' if isinstance(word, Filled) else shlex.quote(word) for word in words
    )  # fmt: skip
    text = f"exec {joined} <&3 3<&-"
    draft.fields["command"] = ["sh", "-c", Filled(text) if has_filled else text]
    draft.ports, draft.gets_port = [int(found[1])], True
    draft.fields |= {"handoff": "systemd", "ready": "started"}
    draft.notes.append("portsup opens its socket, and a shell makes descriptor 0 of it, where a FastCGI program looks")
    if copies > 1:
        why = "the processes of one socket are one service"
        draft.leave(f"`numprocs={copies}`", why, "let the program make its own, as PHP_FCGI_CHILDREN does")
    return [draft]
