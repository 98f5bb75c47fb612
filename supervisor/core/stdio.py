"""How a program that speaks on its standard input and output is served."""

from enum import StrEnum

from supervisor.dataclass import dataclass


class Share(StrEnum):
    """Who shares a program that speaks MCP on its standard input and output."""

    ONE = "one"  # all clients
    PER_SESSION = "per-session"  # nobody


@dataclass(frozen=True, slots=True)
class Stdio:
    """A program that speaks on its standard input and output, and is served on the port of its service."""

    mcp: bool = True  # what it speaks
    share: Share = Share.ONE
    max: int = 8  # sessions at a time
