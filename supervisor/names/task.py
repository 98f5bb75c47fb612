"""What the processes of the proxy are told."""

from supervisor.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """For whom there is to be a proxy, and where.

    port: of the proxy
    https: whether it speaks HTTPS
    runtime: the runtime directory of the stacks
    state: their state directory
    stack: the one that asks; `instance` and `run` are its number and its run id
    """

    port: int
    https: bool
    runtime: str
    state: str
    stack: str = ""
    instance: int = 0
    run: str = ""
