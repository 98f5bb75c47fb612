"""The one program that `portsup exec` and `portsup lease` run."""

import os
from collections.abc import Mapping, Sequence

from supervisor.dataclass import dataclass, field


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and on which ports; `port_env` is the variable that it finds its port in, PORTS has all of them."""

    name: str
    argv: Sequence[str]
    ports: Sequence[int]
    port_env: str = "PORT"
    hands_over: bool = True
    strict: bool = False
    wants_all: bool = False  # every port, each given up to the program
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
