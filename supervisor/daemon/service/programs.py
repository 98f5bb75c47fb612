"""What the programs of the services are run with: their words, environment and folder, and where everybody is."""

import os
from collections.abc import Mapping, Sequence

from supervisor import system
from supervisor.config.spec import ServiceSpec
from supervisor.daemon.service.environment import environment_of, filled, that_fits
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.stack.endpoints import Endpoint, read_elsewhere, variables
from supervisor.dataclass import replace
from supervisor.errors import PortsupError
from supervisor.process.account import account
from supervisor.process.limits import limits
from supervisor.process.spawn import Command

_NOTHING: Mapping[str, str] = {}


class Programs:
    """Knows what a program of any service of one instance gets if it is started now."""

    def __init__(self, slots: Mapping[str, Slot], facts: Mapping[str, str], instance: int) -> None:
        self._slots = slots
        self._facts = facts
        self._instance = instance
        self._inherited = dict(os.environ)
        self._elsewhere = os.environ.get("PORTSUP_ELSEWHERE", "")  # a file, on a cluster
        self._nofile = system.raise_descriptor_limit()
        self._endpoints: dict[str, Endpoint] = {}  # kept until a port changes: every spawn needs all of them
        self._ports: dict[str, int] = {}
        self._told: dict[str, str] = {}

    def endpoints(self) -> dict[str, Endpoint]:
        """Where each service is, or would be first."""
        if not self._endpoints:
            self._endpoints = {
                name: Endpoint(slot.service.port or slot.pool[0], slot.pool, slot.host)
                for name, slot in self._slots.items()
                if slot.pool and slot.number == 1
            }
        if self._elsewhere:  # they move without our knowing
            return self._endpoints | read_elsewhere(self._elsewhere)
        return self._endpoints

    def ports(self) -> Mapping[str, int]:
        """The port of each; the same mapping until one changes."""
        if not self._ports or self._elsewhere:
            self._ports = {name: endpoint.port for name, endpoint in self.endpoints().items()}
        return self._ports

    def about_services(self) -> dict[str, str]:
        """The variables that tell where each service is."""
        if not self._told or self._elsewhere:
            self._told = variables(self.endpoints())
        return self._told

    def forget_endpoints(self) -> None:
        """A service has moved, or there are other services now."""
        self._endpoints, self._ports, self._told = {}, {}, {}

    def environment(
        self, slot: Slot, port: int | None, words: Sequence[str] = (), told: Mapping[str, str] = _NOTHING
    ) -> Mapping[str, str]:
        """What the process of a service gets that has these arguments, with `told`."""
        spec = slot.spec if slot.number == 1 else replace(slot.spec, name=slot.of)
        whose = account(spec.user, spec.group)
        inherited = self._inherited if whose is None else {**self._inherited, **whose.variables}
        facts = {**self._facts, "PORTSUP_ENDPOINTS": self._elsewhere} if self._elsewhere else self._facts
        environment = environment_of(
            spec, port, self.endpoints(), facts, self._instance, inherited, self.about_services()
        ) | ({} if slot.replica is None else {"PORTSUP_REPLICA": str(slot.replica)})
        room = system.room_for_words(spec.limits.get("stack", 0))
        needed = (spec.name, *spec.depends_on)
        return that_fits(environment | told, words, room, needed)

    def environment_of_commands(self) -> Mapping[str, str]:
        """What a command of the stack gets that is none of its services."""
        told = environment_of(
            ServiceSpec("none", (), ()), None, self.endpoints(), self._facts, self._instance, self._inherited,
            self.about_services(),
        )  # fmt: skip
        del told["PORTSUP_SERVICE"]
        return that_fits(told, (), system.room_for_words(0), ())

    def words(self, slot: Slot, words: Sequence[str]) -> tuple[str, ...]:
        """A command about a service with its placeholders filled in; raises PortsupError."""
        return tuple(filled(word, slot.service.port, self._instance, self.endpoints()) for word in words)

    def pid_file(self, slot: Slot) -> str:
        """Where the program of a service writes who stands for it, "" if it does not."""
        path = slot.spec.pid_file
        if not path:
            return ""
        try:
            path = filled(path, slot.service.port, self._instance, self.endpoints())
        except PortsupError:  # it names a service that a reload removes at this moment
            return ""
        return os.path.join(slot.spec.working_dir, path)

    def command(
        self, slot: Slot, port: int | None, words: Sequence[str], told: Mapping[str, str],
        prints_to: tuple[int, int], fd: int | None = None,
    ) -> Command:  # fmt: skip
        """These words as they are run for a service, with `told` in their environment; raises PortsupError."""
        spec = slot.spec
        argv = [filled(word, port, self._instance, self.endpoints(), fd) for word in words]
        environment = self.environment(slot, port, argv, told)
        return Command(
            argv, environment, os.fspath(spec.working_dir), *prints_to, spec.umask, self._nofile,
            account=account(spec.user, spec.group), limits=limits(spec.limits),
        )  # fmt: skip
