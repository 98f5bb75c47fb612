"""Who has a port, in words."""

from supervisor.core.reasons import TOO_MANY, Held


def holder(held: Held) -> str:
    """The sentence, ready for a table."""
    who = f"`{held.name or '?'}` (pid {held.pid}, user {held.user})"
    match held.how:
        case "listening":
            return f"held by {who}"
        case "bound":
            return f"held by {who}, not listening"
        case "ending":
            return f"held by {who}, which is exiting"
        case "left-over":
            return f"held by {who}, left over from a portsup that was killed"
        case "leased":
            whose = f"`{held.service or held.stack}`"
            if held.instance:
                whose = f"`{held.service}` of stack `{held.stack}` instance {held.instance}"
            return f"leased to {whose} ({held.detail})"
        case "unseen" if held.user:
            return f"in use by a process of user {held.user}, {_unseen(held)}"
        case "unseen":
            return f"in use, {_unseen(held)}"
    return _of_system(held)


def is_participle(how: str) -> bool:
    """Whether an "is" fits before the sentence."""
    return how not in ("closing", "not-permitted", "refused")


def _of_system(held: Held) -> str:
    match held.how:
        case "unrecorded":
            return "leased to another portsup, which left no record"
        case "sought":
            return "in use, its owner is being looked for"
        case "not-found":
            return "in use, but portsup could not look for its owner"
        case "closing":
            return "connections of an earlier server are still closing"
        case "privileged":
            return "reserved by the system (privileged port)"
        case "excluded":
            return "reserved by Windows (`netsh int ipv4 show excludedportrange tcp` lists such ports)"
        case "not-permitted":
            return f"not permitted by the system ({held.detail})"
    return f"refused by the system ({held.detail})"


def _unseen(held: Held) -> str:
    return "there are too many processes to find it" if held.detail == TOO_MANY else "owner not visible"
