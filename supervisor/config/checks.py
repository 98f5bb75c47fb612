"""Checks across services: pools that overlap, dependencies that cannot be met, placeholders that lead nowhere."""

import re
from collections.abc import Container, Iterator, Mapping

from supervisor.config import commands, demand, placeholders
from supervisor.config.dialects import references
from supervisor.config.fields import Fields, Found, has_hooks
from supervisor.config.report import Report
from supervisor.config.spec import Condition, HandoffMode, ProbeKind, Restart
from supervisor.config.suggest import did_you_mean
from supervisor.config.texts import words
from supervisor.core.restart import INFINITE
from supervisor.dataclass import dataclass

LAST_PRIVILEGED = 1023
FEWEST, MOST = 3, 5  # ports of a pool that make sense
LONGEST_CHAIN = 12  # names of a cycle that are shown
SET_BY_PORTSUP = (
    "PORTSUP_ENDPOINTS", "PORTSUP_EXIT_CODE", "PORTSUP_HOOK", "PORTSUP_INSTANCE", "PORTSUP_INVOCATION", "PORTSUP_NAMES",
    "PORTSUP_PID", "PORTSUP_REASON", "PORTSUP_REPLICA", "PORTSUP_RESULT", "PORTSUP_RUN_ID", "PORTSUP_SERVICE",
    "PORTSUP_SOCKET",
    "PORTSUP_STACK",
)  # fmt: skip
_ACTIVATION = ("LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID")
_NOTIFICATION = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")


@dataclass(frozen=True, slots=True)
class Checks:
    """All checks across services; `services` are the validated fields by name."""

    services: Mapping[str, Found]
    report: Report
    ephemeral: Container[int] = ()

    def run(self) -> None:
        self._overlaps()
        self._variable_names()
        self._cycles()
        ports = {name: _has_port(found.value) for name, found in self.services.items()}
        for name, found in self.services.items():
            where = f"services.{name}"
            self._pool(found.value, where)
            self._handoff(found.value, where)
            demand.check(found.value, where, self.report)
            self._dependencies(name, found.value, where)
            self._probes(found.value, where)
            self._one_shot(found.value, where)
            self._restarts(found.value, where)
            self._environment(found.value, where)
            self._placeholders(found.value, ports, where)
            commands.check(found.value, where, self.report)
            if "schedule" in found.value.found:
                from supervisor.config import schedules

                schedules.check(found.value, where, self.report)
            if "watch" in found.value.found:
                from supervisor.config import watches

                watches.check(found.value, where, self.report)
            if "stdio" in found.value.found:
                from supervisor.config import stdio

                stdio.check(found.value, where, self.report)
            if "replicas" in found.value.found or "min_ready" in found.value.found:
                from supervisor.config import replicas

                replicas.check(name, self.services, where, self.report)
            if has_hooks(found.value):
                from supervisor.config import hooks

                hooks.check(found.value, where, self.report)

    def _overlaps(self) -> None:
        owner: dict[int, str] = {}
        for name, found in self.services.items():
            shared: dict[str, list[int]] = {}
            for port in found.value.get("pool", ()):
                if owner.setdefault(port, name) != name:
                    shared.setdefault(owner[port], []).append(port)
            for other, ports in shared.items():
                which = f"port {ports[0]}" if len(ports) == 1 else f"ports {in_words(ports)}"
                place, theirs = found.value.at("pool"), self.services[other].value.at("pool")
                spot = self.report.spot(theirs, place)
                reason = f"services.{name}.pool: {which} also in the pool of `{other}` ({spot})"
                self.report.error(place, reason, "a port belongs to one service")

    def _pool(self, fields: Fields, where: str) -> None:
        ports: tuple[int, ...] = fields.get("pool", ())
        place = fields.at("pool")
        if ports and len(ports) < FEWEST:
            count = "one port" if len(ports) == 1 else "two ports"
            self.report.warn(place, f"{where}.pool: only {count}, {FEWEST} to {MOST} leave room to rotate")
        if len(ports) > MOST:
            self.report.warn(place, f"{where}.pool: {len(ports)} ports, all of them are held; {FEWEST} to {MOST} do")
        if privileged := [port for port in ports if port <= LAST_PRIVILEGED]:
            self.report.warn(place, f"{where}.pool: ports below 1024 may need root: {in_words(privileged)}")
        if temporary := [port for port in ports if port in self.ephemeral]:
            reason = "the system gives such ports to outgoing connections, they may be in use at any time"
            self.report.warn(place, f"{where}.pool: {reason}: {in_words(temporary)}")
        if not ports and not fields.is_broken("pool") and "port_env" in fields.found:
            self.report.error(fields.found["port_env"].key, f"{where}.port_env: there is no `pool`, so it has no port")

    def _handoff(self, fields: Fields, where: str) -> None:
        if fields.get("handoff") != HandoffMode.SYSTEMD:
            return
        place = fields.at("handoff")
        if not _has_port(fields):
            reason = f"{where}.handoff: `systemd` passes a socket, and the service has no `pool`"
            self.report.error(place, reason, "give it a `pool`")
            return
        ready: Fields | None = fields.get("ready")
        asked = (kind.value for kind in ProbeKind if ready and kind.value in ready.found)
        given = (ready.word if ready else "") or next(asked, "listening")
        if given in (ProbeKind.LISTENING, ProbeKind.TCP):
            reason = f"{where}.handoff: its socket listens from the start, so `ready: {given}` says nothing"
            self.report.warn(place, f"{reason} about the program; `ready: {{http: PATH}}` does")

    def _variable_names(self) -> None:
        taken: dict[str, str] = {}
        for name, found in self.services.items():
            variable = re.sub(r"[^A-Z0-9]", "_", name.upper())
            other = taken.setdefault(variable, name)
            if other != name:
                self.report.error(
                    found.key,
                    f"services.{name}: `{name}` and `{other}` both become the variable `PORTSUP_{variable}_PORT`",
                    "rename one of them",
                )

    def _dependencies(self, name: str, fields: Fields, where: str) -> None:
        needed: dict[str, Found] = fields.get("depends_on", {})
        for other, item in needed.items():
            if other == name:
                self.report.error(item.key, f"{where}.depends_on: `{name}` depends on itself", "leave it out")
            elif other not in self.services:
                hint = did_you_mean(other, self.services) or "services: " + ", ".join(list(self.services)[:20])
                self.report.error(item.key, f"{where}.depends_on: there is no service {self.report.quote(other)}", hint)
            else:
                self._condition(other, item, where)

    def _condition(self, other: str, item: Found, where: str) -> None:
        needed: Fields = self.services[other].value
        if "schedule" in needed.found:
            reason = f"{where}.depends_on: `{other}` runs by its `schedule`, so nobody knows when it is there"
            self.report.error(item.key, reason, "leave it out, or depend on a job without `schedule`")
            return
        if item.value in (Condition.COMPLETED, Condition.COMPLETED_OK) and needed.get("restart") == Restart.ALWAYS:
            self.report.error(
                item.place,
                f"{where}.depends_on: `{other}` never completes, its restart is `always`",
                f"give `{other}` restart `on-failure` or `never`",
            )
        if item.value == Condition.LISTENING and not _has_port(needed):
            self.report.error(
                item.place,
                f"{where}.depends_on: `{other}` never listens, it has no `pool`",
                f"use `started` or `completed_ok`, or give `{other}` a pool",
            )

    def _cycles(self) -> None:
        """Depth first without recursion; a cycle is told once, at the link that closes it."""
        done: set[str] = set()
        for start in self.services:
            path: dict[str, Iterator[str]] = {} if start in done else {start: self._needed(start)}
            while path:
                name = next(reversed(path))
                other = next(path[name], None)
                if other is None:
                    done.add(name)
                    del path[name]
                elif other in path and other != name:  # depending on itself has its own words
                    names = list(path)
                    cycle = _chain((*names[names.index(other) :], other))
                    item: Found = self.services[name].value.get("depends_on")[other]
                    reason = f"services.{name}.depends_on: a cycle, {cycle}"
                    self.report.error(item.key, reason, "remove one of the links")
                elif other not in path and other not in done:
                    path[other] = self._needed(other)

    def _needed(self, name: str) -> Iterator[str]:
        return (other for other in self.services[name].value.get("depends_on", {}) if other in self.services)

    def _probes(self, fields: Fields, where: str) -> None:
        if _has_port(fields):
            return
        for key in ("ready", "healthcheck"):
            probe: Fields | None = fields.get(key)
            if probe is None:
                continue
            given = probe.word or next((kind.value for kind in _NEED_A_PORT if kind.value in probe.found), "")
            if given in _NEED_A_PORT:
                place = probe.found[given].key if given in probe.found else probe.place
                self.report.error(
                    place,
                    f"{where}.{key}: `{given}` needs a port, and the service has no `pool`",
                    "give it a `pool`, or use `started`, `exec`, `log` or `notify`"
                    if key == "ready"
                    else "give it a `pool`, or use `exec`",
                )

    def _one_shot(self, fields: Fields, where: str) -> None:
        if not fields.get("one_shot"):
            return
        for key in ("pool", "healthcheck", "watchdog"):
            if key in fields.found:
                reason = f"{where}.{key}: a `one_shot` is no server, it is over when its work is done"
                self.report.error(fields.found[key].key, reason, "remove one of the two")
        if fields.get("restart") == Restart.ALWAYS:
            reason = f"{where}.restart: a `one_shot` with `always` never ends"
            self.report.error(fields.at("restart"), reason, "use `on-failure` or `never`")
        ready: Fields | None = fields.get("ready")
        given = next((key for key in ready.found if key != "timeout"), ready.word) if ready else ""
        if ready and given:
            place = ready.found[given].key if given in ready.found else ready.place
            reason = f"{where}.ready: a `one_shot` is ready when it has exited with 0, so `{given}` says nothing"
            self.report.error(place, reason, "leave it out; `timeout` alone says how long the job may take")

    def _restarts(self, fields: Fields, where: str) -> None:
        policy: Fields = fields.get("restart_policy") or Fields()
        if policy.get("max_restarts") == INFINITE and 0.0 in (policy.get("delay"), policy.get("max_delay")):
            reason = f"{where}.restart_policy: `infinite` without a wait would keep the machine busy with restarts"
            self.report.error(policy.at("max_restarts"), reason, "leave `delay` and `max_delay` above 0")

    def _environment(self, fields: Fields, where: str) -> None:
        own: dict[str, Found] = fields.get("environment", {})
        port_env = fields.get("port_env", "PORT")
        set_by_us = {*SET_BY_PORTSUP}
        if any(name.startswith("PORTSUP_") for name in (*own, port_env)):
            for other in self.services:
                variable = re.sub(r"[^A-Z0-9]", "_", other.upper())
                set_by_us.update((f"PORTSUP_{variable}_PORT", f"PORTSUP_{variable}_URL"))
        if port_env in set_by_us:
            reason = f"{where}.port_env: `{port_env}` is set by portsup"
            self.report.error(fields.at("port_env"), reason, "choose another name")
        for name, item in own.items():
            if name in set_by_us:
                self.report.error(item.key, f"{where}.environment: `{name}` is set by portsup", "choose another name")
            elif name in _ACTIVATION and fields.get("handoff") == HandoffMode.SYSTEMD:
                reason = f"{where}.environment: `{name}` is set by portsup with `handoff: systemd`"
                self.report.error(item.key, reason, "leave it out")
            elif name in _NOTIFICATION and _is_heard(fields):
                reason = f"{where}.environment: `{name}` is set by portsup where it listens to the service"
                self.report.error(item.key, reason, "leave it out")
            elif name == port_env and _has_port(fields):
                self.report.warn(
                    item.key,
                    f"{where}.environment: `{name}` is also the service's `port_env`, the port of the pool wins",
                )

    def _placeholders(self, fields: Fields, ports: Mapping[str, bool], where: str) -> None:
        has_socket = fields.get("handoff") == HandoffMode.SYSTEMD
        before = "", ""
        for path, word in words(fields):
            has_fd = has_socket and path.startswith(("command", "environment"))
            for offset, reason, hint in placeholders.mistakes(
                word.text, has_port=_has_port(fields), services=ports, has_fd=has_fd
            ):
                self.report.error(word.at(offset), f"{where}.{path}: {reason}", hint)
            theirs = references.foreign(word.text, where.rpartition(".")[2], before[1] if before[0] == path else "")
            before = path, word.text
            for offset, shown, meant in (*placeholders.look_alikes(word.text, ports), *theirs):
                how = "stands for the characters `{port}`" if shown == "{{port}}" else "is passed on as it is"
                reason = f"`{shown}` {how}; if it is meant to be filled in, write `{meant}`"
                self.report.warn(word.at(offset), f"{where}.{path}: {reason}")


_NEED_A_PORT = (ProbeKind.LISTENING, ProbeKind.HTTP, ProbeKind.TCP)


def _has_port(fields: Fields) -> bool:
    """Whether the service has ports, as far as one can tell."""
    return "pool" in fields.found


def _is_heard(fields: Fields) -> bool:
    """Whether the service gets a notify socket."""
    ready: Fields | None = fields.get("ready")
    is_asked = "watchdog" in fields.found or (ready is not None and "notify" in ready.found)
    return is_asked or fields.get("notify_socket", "auto") != "auto"


def in_words(ports: list[int]) -> str:
    """`6000, 6002 and 6004`, or `6000-6004` where they follow each other."""
    if len(ports) > 2 and ports == list(range(ports[0], ports[0] + len(ports))):
        return f"{ports[0]}-{ports[-1]}"
    if len(ports) < 2:
        return "".join(map(str, ports))
    return f"{', '.join(map(str, ports[:-1]))} and {ports[-1]}"


def _chain(names: tuple[str, ...]) -> str:
    if len(names) > LONGEST_CHAIN:
        names = (*names[:5], f"({len(names) - 7} more)", *names[-2:])
    return " -> ".join(names)
