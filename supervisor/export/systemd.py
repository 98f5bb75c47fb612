"""Units of systemd, one a service, that run the programs themselves; and a target that is the stack."""

import math
from collections.abc import Iterator, Mapping

from supervisor.config.forms.usual import signal_name
from supervisor.config.spec import BindMode, Condition, HandoffMode, ProbeKind, ServiceSpec, StackSpec, Start, StopTo
from supervisor.core.address import LOOPBACK
from supervisor.core.ending import Others
from supervisor.core.limits import UNLIMITED
from supervisor.core.order import GOES_ON_WITHOUT
from supervisor.core.restart import Restart
from supervisor.core.state import Hook
from supervisor.export import asking
from supervisor.export.addresses import Addresses
from supervisor.export.calendar import moments, timer
from supervisor.export.model import Export, File, Secret, Wishes
from supervisor.export.unit_text import command, plain, word
from supervisor.export.veil import MARK, Veiled

ENDS = (Condition.COMPLETED, Condition.COMPLETED_OK)
RESTART = {Restart.NEVER: "no", Restart.ON_FAILURE: "on-failure", Restart.ALWAYS: "always"}
LIMITS = {
    "nofile": "LimitNOFILE", "nproc": "LimitNPROC", "address_space": "LimitAS", "cpu_time": "LimitCPU",
    "file_size": "LimitFSIZE", "core": "LimitCORE", "stack": "LimitSTACK", "memlock": "LimitMEMLOCK",
}  # fmt: skip
_BEFORE_254 = "# From systemd 254 on, for waits that grow:"


def export(stack: StackSpec, hidden: Veiled, selected: tuple[str, ...], wishes: Wishes) -> Export:
    """The units of a stack; `selected` are the services that start by themselves."""
    services = hidden.services
    addresses = Addresses.of(services, lambda name: LOOPBACK)
    jobs = _jobs(services)
    files = [File(f"{stack.name}.target", _text(_target(stack, selected, wishes)))]
    if any(Others.STOP_ALL in (spec.on_end.success, spec.on_end.failure) for spec in services.values()):
        files.append(File(f"{stack.name}-stop.target", _text(_stop_target(stack))))
    for name, spec in services.items():
        unit = _Unit(stack, spec, hidden.secrets[name], addresses, wishes, name in jobs)
        files.append(File(f"{unit.name}.service", _text(unit.lines())))
        if spec.handoff is HandoffMode.SYSTEMD and spec.pool:
            files.append(File(f"{unit.name}.socket", _text(unit.socket())))
        if _has_timer(spec):
            files.append(File(f"{unit.name}.timer", _text(unit.timer())))
    secrets = tuple(secret for each in hidden.secrets.values() for secret in each)
    place = "/etc/systemd/system" if wishes.is_system else "~/.config/systemd/user"
    own = "systemctl" if wishes.is_system else "systemctl --user"
    steps = [f"put the files into {place}"]
    folder = "/etc" if wishes.is_system else "~/.config"
    for name, found in hidden.secrets.items():
        if variables := ", ".join(each.name for each in found if each.needed):
            steps.append(f"write {variables} into {folder}/{stack.name}/{name}.env, one NAME=VALUE a line, mode 0600")
    return Export(tuple(files), (), secrets, (*steps, f"{own} daemon-reload && {own} enable --now {stack.name}.target"))


def _jobs(services: Mapping[str, ServiceSpec]) -> set[str]:
    """The services that are done when they have ended: `one_shot`, and those whose end others wait for."""
    waited = {need for spec in services.values() for need, how in spec.depends_on.items() if how in ENDS}
    return {
        name for name, spec in services.items()
        if spec.one_shot or (name in waited and spec.restart_policy.restart is not Restart.ALWAYS)
    }  # fmt: skip


def _has_timer(spec: ServiceSpec) -> bool:
    return spec.schedule is not None and bool(moments(spec.schedule))


def _text(lines: Iterator[str]) -> str:
    return "\n".join(lines) + "\n"


def _target(stack: StackSpec, selected: tuple[str, ...], wishes: Wishes) -> Iterator[str]:
    yield "[Unit]"
    yield f"Description={plain(stack.name)}: all services that start by themselves"
    for name in selected:
        spec = stack.services[name]
        kinds: tuple[str, ...] = ("service",)
        if spec.handoff is HandoffMode.SYSTEMD and spec.pool:
            # Who connects first starts the service of a socket.
            kinds = ("socket",) if spec.start is Start.ON_CONNECT else ("socket", "service")
        if spec.schedule is not None:
            kinds = ("timer",) if _has_timer(spec) else ()
        if kinds:
            yield f"Wants={' '.join(f'{stack.name}-{name}.{kind}' for kind in kinds)}"
    yield ""
    yield "[Install]"
    yield f"WantedBy={'multi-user.target' if wishes.is_system else 'default.target'}"


def _stop_target(stack: StackSpec) -> Iterator[str]:
    yield "[Unit]"
    yield f"Description={plain(stack.name)}: started by a service whose end is that of all"
    yield f"Conflicts={stack.name}.target"


class _Unit:
    """The unit of one service."""

    def __init__(
        self, stack: StackSpec, spec: ServiceSpec, secrets: tuple[Secret, ...], addresses: Addresses, wishes: Wishes,
        is_job: bool,
    ) -> None:  # fmt: skip
        self._stack, self._spec, self._secrets = stack, spec, secrets
        self._addresses, self._wishes, self._is_job = addresses, wishes, is_job
        self.name = f"{stack.name}-{spec.name}"
        self._host = spec.environment.get("HOST", LOOPBACK)

    def lines(self) -> Iterator[str]:
        """Those of NAME.service."""
        yield "[Unit]"
        yield from self._unit()
        yield ""
        yield "[Service]"
        yield from self._start()
        yield from self._process()
        yield from self._commands()
        yield from self._ending()
        yield from self._limits()

    def socket(self) -> Iterator[str]:
        """Those of NAME.socket: systemd has the port, also while the program restarts."""
        yield "[Unit]"
        yield f"Description=The socket of {plain(self._stack.name)}: {plain(self._spec.name)}"
        yield f"PartOf={self._stack.name}.target"
        yield ""
        yield "[Socket]"
        host = f"[{self._host}]" if ":" in self._host else self._host
        yield f"ListenStream={plain(host)}:{self._spec.pool[0]}"
        yield f"FileDescriptorName={self._spec.name}"

    def timer(self) -> Iterator[str]:
        """Those of NAME.timer, which starts the service by the clock."""
        assert self._spec.schedule is not None
        yield "[Unit]"
        yield f"Description=The schedule of {plain(self._stack.name)}: {plain(self._spec.name)}"
        yield f"PartOf={self._stack.name}.target"
        yield ""
        yield "[Timer]"
        yield from timer(self._spec.schedule)

    def _unit(self) -> Iterator[str]:
        spec, stack = self._spec, self._stack
        described = " ".join(spec.description.split()) if spec.description.isprintable() else ""
        yield f"Description={plain(described or f'{stack.name}: {spec.name}')}"
        yield f"PartOf={stack.name}.target"
        needs = {need: f"{stack.name}-{need}.service" for need in spec.depends_on}
        required = [needs[need] for need, how in spec.depends_on.items() if how not in GOES_ON_WITHOUT]
        wanted = [needs[need] for need, how in spec.depends_on.items() if how in GOES_ON_WITHOUT]
        after = [needs[need] for need, how in spec.depends_on.items() if how is not Condition.STARTED]
        if spec.handoff is HandoffMode.SYSTEMD and spec.pool:
            required.append(f"{self.name}.socket")
            after.append(f"{self.name}.socket")
        for key, names in (("Requires", required), ("Wants", wanted), ("After", after)):
            if names:
                yield f"{key}={' '.join(names)}"
        policy = spec.restart_policy
        if policy.restart is not Restart.NEVER:
            if policy.is_endless:
                yield "StartLimitIntervalSec=0"
            else:
                burst = int(policy.max_restarts) + 1
                # systemd counts starts: those of a program that ends at once have to be within the interval.
                yield f"StartLimitBurst={burst}"
                yield f"StartLimitIntervalSec={_span(max(policy.period, math.ceil(policy.delay * burst)))}"
        stop = f"{stack.name}-stop.target"
        if spec.on_end.failure is Others.STOP_ALL:
            yield f"OnFailure={stop}"
        if spec.on_end.success is Others.STOP_ALL:
            yield f"OnSuccess={stop}"

    def _start(self) -> Iterator[str]:
        spec = self._spec
        if spec.pid_file:
            kind = "forking"
        elif self._is_job:
            kind = "oneshot"
        else:
            kind = "notify" if spec.ready.probe.kind is ProbeKind.NOTIFY else "exec"
        yield f"Type={kind}"
        if kind == "oneshot" and not _has_timer(spec):  # what remains is not started again
            yield "RemainAfterExit=yes"
        if spec.pid_file:
            yield f"PIDFile={plain(str(spec.working_dir / self._filled(spec.pid_file)))}"
        if spec.wants_notices:
            yield "NotifyAccess=all"
        if spec.watchdog:
            yield f"WatchdogSec={_span(spec.watchdog)}"
        yield f"TimeoutStartSec={_span(spec.ready.timeout) if spec.ready.timeout else 'infinity'}"

    def _process(self) -> Iterator[str]:
        spec, wishes = self._spec, self._wishes
        user = spec.user or wishes.user
        if wishes.is_system and user:
            yield f"User={plain(user)}"
        if wishes.is_system and spec.group:
            yield f"Group={plain(spec.group)}"
        if spec.umask is not None:
            yield f"UMask={spec.umask:04o}"
        yield f"WorkingDirectory={plain(str(spec.working_dir))}"
        yield f"SyslogIdentifier={plain(spec.name)}"
        if wishes.path and "PATH" not in spec.environment:
            yield f"Environment={word(f'PATH={wishes.path}')}"
        told = {"PORTSUP_SERVICE": spec.name, "PORTSUP_INSTANCE": "1", "PYTHONUNBUFFERED": "1"}
        told |= {spec.port_env: ""} if spec.pool else {}  # here `init --from` finds it
        told |= {"HOST": LOOPBACK}
        told |= {name: self._filled(value) for name, value in spec.environment.items() if MARK not in value}
        told |= {secret.name: "" for secret in self._secrets if not secret.needed}  # the file wins, systemd.exec(5)
        if spec.pool:
            told[spec.port_env] = str(spec.pool[0])
        for name, value in told.items():
            yield f"Environment={word(f'{name}={value}')}"
        others = [word(f"{key}={value}") for key, value in self._addresses.variables(spec).items()]
        for port, url in zip(others[::2], others[1::2], strict=True):
            yield f"Environment={port} {url}"
        if self._secrets:
            yield f"# Secrets, one NAME=VALUE a line, mode 0600: {', '.join(each.name for each in self._secrets)}"
            optional = "" if any(each.needed for each in self._secrets) else "-"
            yield f"EnvironmentFile={optional}%E/{self._stack.name}/{spec.name}.env"

    def _commands(self) -> Iterator[str]:
        spec = self._spec
        if hook := spec.hooks.get(Hook.PRE_START):
            yield f"ExecStartPre={self._command(hook.command)}"
        yield f"ExecStart={self._command(spec.command)}"
        given = None if self._is_job or spec.pid_file else asking.command(spec.ready.probe, spec, self._addresses)
        is_queue = spec.handoff is HandoffMode.SYSTEMD and spec.ready.probe.kind in asking.LISTENING
        if given is not None and not is_queue:
            yield "# Ready, for what is ordered after this unit, when this has ended:"
            yield f"ExecStartPost={command(asking.loop(given))}"
        for hook_name, key in (
            (Hook.POST_START, "ExecStartPost=-"), (Hook.PRE_STOP, "ExecStop="), (Hook.STOP_COMMAND, "ExecStop="),
            (Hook.POST_STOP, "ExecStopPost="),
        ):  # fmt: skip
            if hook := spec.all_hooks.get(hook_name):
                yield f"{key}{self._command(hook.command)}"

    def _ending(self) -> Iterator[str]:
        spec, policy = self._spec, self._spec.restart_policy
        yield f"Restart={RESTART[policy.restart]}"
        if policy.restart is not Restart.NEVER:
            yield f"RestartSec={_span(policy.delay)}"
            if policy.factor > 1 and 0 < policy.delay < policy.max_delay:
                yield _BEFORE_254
                yield f"# RestartSteps={max(1, round(math.log(policy.max_delay / policy.delay, policy.factor)))}"
                yield f"# RestartMaxDelaySec={_span(policy.max_delay)}"
        if codes := sorted(spec.success_exit_codes - {0}):
            yield f"SuccessExitStatus={' '.join(map(str, codes))}"
        yield f"KillSignal={signal_name(spec.stop_signal)}"
        if spec.stop_to is StopTo.MAIN:
            yield "KillMode=mixed"
        # 0 would be any time, systemd.service(5).
        yield f"TimeoutStopSec={_span(max(spec.stop_grace_period, 0.001))}"

    def _limits(self) -> Iterator[str]:
        spec = self._spec
        for name, key in LIMITS.items():
            if name in spec.limits:
                value = spec.limits[name]
                yield f"{key}={'infinity' if value == UNLIMITED else value}"
        if spec.memory_limit:
            yield f"MemoryMax={spec.memory_limit}"
        if spec.bind is BindMode.STRICT and spec.pool and self._wishes.is_system:
            yield f"SocketBindAllow=tcp:{spec.pool[0]}"
            yield "SocketBindDeny=tcp"

    def _filled(self, text: str) -> str:
        return self._addresses.filled(text, self._spec)

    def _command(self, words: tuple[str, ...]) -> str:
        first, *others = map(self._filled, words)
        program = self._wishes.programs.get(self._spec.name, {}).get(words[0], first)
        return command([program, *others])


def _span(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")
