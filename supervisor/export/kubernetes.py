"""Manifests of Kubernetes: for each service a Deployment, or a Job, in whose container portsup runs it."""

import hashlib
import math
import re
from collections.abc import Iterator
from typing import Any

from supervisor.config.dump import as_document
from supervisor.config.spec import Condition, Probe, ProbeKind, ServiceSpec, StackSpec
from supervisor.errors import PortsupError
from supervisor.export.addresses import Addresses
from supervisor.export.alone import FILE, FOLDER, is_over, services_yaml
from supervisor.export.model import Export, File, Secret, Wishes
from supervisor.export.stopping import stop_time
from supervisor.export.table.fates import has_named_user
from supervisor.export.veil import MARK, Veiled

LONGEST = 63  # characters of a label, RFC 1123
_WAITED = (Condition.READY, Condition.LISTENING)
_OWN = 128  # MiB that portsup itself may use beside the service
Object = dict[str, Any]
_SPECIAL = re.compile(rf"[{{{MARK}]")  # of a path with a placeholder or a secret in it


def export(stack: StackSpec, hidden: Veiled, selected: tuple[str, ...], wishes: Wishes) -> Export:
    """The manifests of a stack, in one file, in the order in which `kubectl apply` takes them."""
    names = _names(stack)
    addresses = Addresses.of(hidden.services, names.__getitem__)
    documents: list[str] = []
    for name, spec in hidden.services.items():
        maker = _Maker(stack, spec, hidden.secrets[name], names, addresses, wishes)
        documents += [as_document(each) for each in maker.objects(name in selected)]
    secrets = tuple(each for found in hidden.secrets.values() for each in found)
    needed = sorted({secret.key for secret in secrets if secret.needed})
    file = File(f"{stack.name}.yaml", "---\n".join(documents))
    given = " ".join(f"--from-literal={key}=…" for key in needed)
    steps = [f"kubectl create secret generic {_name(stack.name)} {given}"] if needed else []
    return Export((file,), (), secrets, (*steps, f"kubectl apply -f {file.name}"))


def _names(stack: StackSpec) -> dict[str, str]:
    """The name of each service's objects; raises PortsupError where Kubernetes does not take it."""
    found: dict[str, str] = {}
    for service in stack.services:
        name = _name(f"{stack.name}-{service}")
        what = f"cannot export `{service}` for Kubernetes"
        if len(name) > LONGEST:
            hint = "give the stack or the service a shorter name"
            raise PortsupError(what, f"its name there, `{name}`, has more than {LONGEST} characters", hint)
        if name in found.values():
            other = next(each for each, known in found.items() if known == name)
            raise PortsupError(what, f"it has the name of `{other}` there, `{name}`", "rename one of them")
        found[service] = name
    return found


def _name(text: str) -> str:
    name = re.sub(r"[^a-z0-9-]+", "-", text).strip("-")
    return name if name[:1].isalpha() else f"s-{name}"  # a Service begins with a letter, RFC 1035


class _Maker:
    """Makes the objects of one service."""

    def __init__(
        self, stack: StackSpec, spec: ServiceSpec, secrets: tuple[Secret, ...], names: dict[str, str],
        addresses: Addresses, wishes: Wishes,
    ) -> None:  # fmt: skip
        self._stack, self._spec, self._secrets = stack, spec, secrets
        self._names, self._addresses, self._wishes = names, addresses, wishes
        self._name = names[spec.name]

    def objects(self, starts: bool) -> Iterator[Object]:
        """A ConfigMap, a Service where there is a port, and what runs."""
        keeps_user = has_named_user(self._spec)
        text = services_yaml(self._stack, self._spec, self._secrets, self._addresses, self._wishes, keeps_user)
        yield {"apiVersion": "v1", "kind": "ConfigMap", **self._metadata(), "data": {FILE: text}}
        if self._spec.pool:
            port = {"name": "main", "port": self._spec.pool[0], "targetPort": "main"}
            selector = {"app.kubernetes.io/name": self._name}
            yield {
                "apiVersion": "v1", "kind": "Service", **self._metadata(),
                "spec": {"selector": selector, "ports": [port]},
            }  # fmt: skip
        yield self._job(starts) if is_over(self._spec) else self._deployment(starts, text)

    def _metadata(self, is_told: bool = False) -> Object:
        metadata: Object = {"name": self._name, "labels": self._labels()}
        if is_told and self._spec.description:
            metadata["annotations"] = {"kubernetes.io/description": self._spec.description}
        return {"metadata": metadata}

    def _labels(self) -> dict[str, str]:
        part_of = _name(self._stack.name)
        return {"app.kubernetes.io/name": self._name, "app.kubernetes.io/part-of": part_of[:LONGEST].rstrip("-")}

    def _deployment(self, starts: bool, text: str) -> Object:
        # A pod does not notice another content of its ConfigMap; with another annotation it is replaced.
        checksum = {"checksum/config": hashlib.sha256(text.encode()).hexdigest()}
        return {
            "apiVersion": "apps/v1", "kind": "Deployment", **self._metadata(is_told=True),
            "spec": {
                "replicas": 1 if starts else 0,
                "strategy": {"type": "Recreate"},  # one process of a service at a time, as under portsup
                "selector": {"matchLabels": {"app.kubernetes.io/name": self._name}},
                "template": {"metadata": {"labels": self._labels(), "annotations": checksum}, "spec": self._pod()},
            },
        }  # fmt: skip

    def _job(self, starts: bool) -> Object:
        return {
            "apiVersion": "batch/v1", "kind": "Job", **self._metadata(is_told=True),
            "spec": {
                "suspend": not starts,
                "backoffLimit": 0,  # portsup has tried it again by then, as often as it should
                "template": {"metadata": {"labels": self._labels()}, "spec": self._pod()},
            },
        }  # fmt: skip

    def _pod(self) -> Object:
        spec = self._spec
        pod: Object = {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": round(stop_time(spec)),
        }
        if security := self._users():
            pod["securityContext"] = security
        waits = [self._wait(need) for need, how in spec.depends_on.items() if how in _WAITED and need in self._ports]
        if waits:
            pod["initContainers"] = waits
        if is_over(spec):
            pod["restartPolicy"] = "Never"
        pod["containers"] = [self._container()]
        pod["volumes"] = [{"name": "config", "configMap": {"name": self._name}}]
        return pod

    @property
    def _ports(self) -> Any:
        return self._addresses.ports

    def _users(self) -> Object:
        """Numbers; portsup itself changes to a user or group with a name, and to a group without a user."""
        user, group = self._spec.user, self._spec.group
        found: Object = {}
        if has_named_user(self._spec):
            return found
        if user:
            found["runAsUser"] = int(user)
            found["runAsNonRoot"] = int(user) != 0
        if group:
            found["runAsGroup"] = int(group)
        return found

    def _container(self) -> Object:
        spec = self._spec
        container: Object = {
            "name": "portsup",
            "image": self._wishes.image,
            "command": ["portsup", "-f", f"{FOLDER}/{FILE}", "up", spec.name],
            "securityContext": {"allowPrivilegeEscalation": False},
        }
        if self._secrets:
            container["env"] = [self._variable(secret) for secret in self._secrets]
        if spec.pool:
            container["ports"] = [{"name": "main", "containerPort": spec.pool[0], "protocol": "TCP"}]
        if not is_over(spec):
            container["readinessProbe"] = self._readiness(spec.ready.probe)
        if spec.memory_limit:
            # portsup restarts the service at its limit; that of the container leaves room for portsup itself.
            container["resources"] = {"limits": {"memory": f"{math.ceil(spec.memory_limit / 2**20) + _OWN}Mi"}}
        container["volumeMounts"] = [{"name": "config", "mountPath": FOLDER, "readOnly": True}]
        return container

    def _variable(self, secret: Secret) -> Object:
        reference: Object = {"name": _name(self._stack.name), "key": secret.key}
        if not secret.needed:
            reference["optional"] = True
        return {"name": secret.name, "valueFrom": {"secretKeyRef": reference}}

    def _readiness(self, probe: Probe) -> Object:
        times = {"periodSeconds": 5, "timeoutSeconds": 3}
        if self._spec.pool:
            if probe.kind is ProbeKind.HTTP and probe.ask is None and not _SPECIAL.search(probe.target):
                return {"httpGet": {"path": probe.target, "port": "main"}, **times}
            if probe.kind in (ProbeKind.LISTENING, ProbeKind.TCP):
                return {"tcpSocket": {"port": "main"}, **times}
        # What only portsup can see, it is asked for.
        command = ["portsup", "-f", f"{FOLDER}/{FILE}", "status", self._spec.name]
        return {"exec": {"command": command}, "periodSeconds": 10, "timeoutSeconds": 5}

    def _wait(self, need: str) -> Object:
        """Waits for another service: its Service lets nobody through before it is ready."""
        host, port = self._names[need], self._ports[need]
        code = f"import socket; socket.create_connection(('{host}', {port}), 2)"
        return {
            "name": f"wait-for-{need}"[:LONGEST].replace("_", "-").replace(".", "-").rstrip("-"),
            "image": self._wishes.image,
            "command": ["sh", "-c", f'until python3 -c "{code}" 2>/dev/null; do sleep 1; done'],
            "securityContext": {"allowPrivilegeEscalation": False},
        }
