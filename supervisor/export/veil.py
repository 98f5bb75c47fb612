"""Puts names in the place of secrets, so that whoever writes a file cannot spell one out.

In the spec of a veiled service a secret is `MARK NAME MARK`, with the name of the variable that has its value.
"""

import re
from collections.abc import Iterable, Mapping

from supervisor.config.identifiers import secrets_of
from supervisor.config.secret_names import HIDDEN, is_secret_name
from supervisor.config.secrets import secret_values
from supervisor.config.spec import HookCommand, HttpAsk, Probe, ServiceSpec, StackSpec
from supervisor.dataclass import dataclass, replace
from supervisor.export.model import Secret

MARK = "\0"  # in no text of a services.yaml
_SHORT = 4  # characters below which a secret is looked for as a whole word only


@dataclass(frozen=True, slots=True)
class Veiled:
    """A stack whose services have marks in the place of secrets, and those secrets by service."""

    services: Mapping[str, ServiceSpec]
    secrets: Mapping[str, tuple[Secret, ...]]


def veiled(stack: StackSpec) -> Veiled:
    """The services of a stack without a secret in them."""
    services, values = {}, {}
    for name, spec in stack.services.items():
        veil = _Veil(stack, spec)
        services[name] = veil.spec()
        values[name] = veil.values
    by_name: dict[str, set[str]] = {}
    for found in values.values():
        for name, value in found.items():
            by_name.setdefault(name, set()).add(value)
    secrets = {
        service: tuple(
            Secret(service, name, name if len(by_name[name]) == 1 else f"{_upper(service)}_{name}", bool(value.strip()))
            for name, value in found.items()
        )
        for service, found in values.items()
    }
    return Veiled(services, secrets)


def parts(text: str) -> Iterable[tuple[str, bool]]:
    """The pieces of a text, and whether each is the name of a secret."""
    return ((piece, bool(number % 2)) for number, piece in enumerate(text.split(MARK)))


class _Veil:
    """The veil of one service; `values` has what each of its secret variables holds."""

    def __init__(self, stack: StackSpec, spec: ServiceSpec) -> None:
        self._spec = spec
        prefix = f"services.{spec.name}."
        filled = (secret for path, found in stack.filled.items() if path.startswith(prefix) for secret in found)
        self._wanted = {*stack.secrets, *filled, *(secret for _, secret in secrets_of(spec))}
        self.values = {name: value for name, value in spec.environment.items() if self._is_secret(name, value)}
        for value in self.values.values():
            self._wanted.update(value and [value])

    def spec(self) -> ServiceSpec:
        spec = self._spec
        hooks = {hook: self._hook(each) for hook, each in spec.hooks.items()}
        ready = replace(spec.ready, probe=self._probe(spec.ready.probe))
        health = spec.healthcheck
        return replace(
            spec,
            command=self._words(spec.command),
            environment={
                name: f"{MARK}{name}{MARK}" if name in self.values else value
                for name, value in spec.environment.items()
            },
            hooks=hooks,
            stop_command=spec.stop_command and self._hook(spec.stop_command),
            ready=ready,
            healthcheck=health and replace(health, probe=self._probe(health.probe)),
            description=self._redacted(spec.description),
        )

    def _is_secret(self, name: str, value: str) -> bool:
        if not value.strip():
            return is_secret_name(name)
        return bool(any(secret_values(name, value)) or any(secret in value for secret in self._wanted if secret))

    def _hook(self, hook: HookCommand) -> HookCommand:
        return replace(hook, command=self._words(hook.command))

    def _probe(self, probe: Probe) -> Probe:
        ask = probe.ask and self._ask(probe.ask)
        return replace(probe, target=self._text(probe.target), command=self._words(probe.command), ask=ask)

    def _ask(self, ask: HttpAsk) -> HttpAsk:
        return replace(ask, headers=tuple((name, self._text(value)) for name, value in ask.headers))

    def _words(self, words: Iterable[str]) -> tuple[str, ...]:
        return tuple(map(self._text, words))

    def _text(self, text: str) -> str:
        for secret in sorted(self._wanted, key=lambda each: (-len(each), each)):
            if not secret.strip() or secret not in text:
                continue
            pattern = re.escape(secret)
            if len(secret) < _SHORT:
                pattern = rf"(?<![^=:\s]){pattern}(?![^\s])"
            if not re.search(pattern, text):
                continue
            mark = f"{MARK}{self._name_of(secret)}{MARK}"
            outside = text.split(MARK)
            outside[::2] = [mark.join(re.split(pattern, piece)) for piece in outside[::2]]
            text = MARK.join(outside)
        return text

    def _redacted(self, text: str) -> str:
        for secret in self._wanted:
            text = text.replace(secret, HIDDEN) if secret and len(secret) >= _SHORT else text
        return text

    def _name_of(self, value: str) -> str:
        known = next((name for name, held in self.values.items() if held == value), "")
        if not known:
            number = 1
            while (known := f"{_upper(self._spec.name)}_SECRET_{number}") in self.values:
                number += 1
            self.values[known] = value
        return known


def _upper(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", name.upper())
