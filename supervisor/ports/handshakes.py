"""Who had begun to connect to a port: one look at the kernel's table of connections for all that close together.

For a look the kernel walks through all of that table, whatever ports are asked for: 2 ms where there is much memory.
"""

from supervisor import system


class Handshakes:
    """What was found in the last look, and for which ports the next one will be."""

    def __init__(self) -> None:
        self.looks = 0  # so far
        self._wanted: set[int] = set()
        self._found: dict[int, set[int]] = {}  # the ports of clients, by ours

    def want(self, port: int) -> int:
        """Has each look find those of this port too, from now on; how many looks there were before."""
        self._wanted.add(port)
        return self.looks

    def forget(self, port: int) -> None:
        """Nobody asks for this port any more."""
        self._wanted.discard(port)

    def on(self, port: int, since: int) -> set[int]:
        """The ports of clients that wait in no queue yet, in a look after so many; raises OSError."""
        if self.looks <= since or port not in self._found:
            ports = {port, *self._wanted}
            self._found = {each: set() for each in ports} | system.handshakes_on(ports)
            self.looks += 1
        return self._found[port]
