"""Ray, as far as portsup uses it: the one file that imports it."""

import contextlib
import logging
import os
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from typing import Any, NoReturn

os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")  # nodes have their own Python

import ray
from ray.exceptions import GetTimeoutError, RayError, RuntimeEnvSetupError
from ray.experimental import internal_kv
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from supervisor.errors import PortsupError
from supervisor.words import cluster as words

NAMESPACE = "portsup"
_ANSWER = 2.0  # seconds that an answer may take
_KEYS = b"portsup"
_HEAD = "node:__internal_head__"  # a resource that the head alone has


class Unreachable(Exception):
    """An actor does not answer: it is just being moved, or cut off, or gone."""


class Gone(Unreachable):
    """The cluster knows no such actor."""


def connect(address: str, folder: str = "") -> None:
    """Joins the cluster; with `folder` what is made from now on has that project as its working directory.

    Raises PortsupError.
    """
    environment = {"working_dir": folder} if folder else None
    _knock(address)
    try:
        ray.init(
            address=address, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.ERROR,
            runtime_env=environment, configure_logging=True,
        )  # fmt: skip
    except RuntimeEnvSetupError as error:
        ray.shutdown()
        raise words.not_brought(folder, str(error)) from None
    except (RayError, ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise words.no_cluster(address, str(error).strip().splitlines()[0] if str(error).strip() else "") from None


def _knock(address: str) -> None:
    """Raises PortsupError where nobody listens: Ray itself tries for minutes before it says so."""
    host, _, port = _found(address).removeprefix("ray://").rpartition(":")
    if not (port.isascii() and port.isdigit()):
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER).close()
    except UnicodeError:  # of the codec `idna`, for a label that is empty or too long
        raise words.no_machine(address, host) from None
    except OSError as error:
        raise words.no_cluster(address, f"{host}:{port}: {(error.strerror or str(error)).lower()}") from None


def _found(address: str) -> str:
    """`HOST:PORT` where `auto` stands for that, and Ray tells how it finds it."""
    if address == "auto":
        with contextlib.suppress(ImportError, AttributeError, RayError, OSError, ValueError, ConnectionError):
            from ray._private.services import canonicalize_bootstrap_address

            return canonicalize_bootstrap_address(address) or ""
    return address


def disconnect() -> None:
    """Leaves the cluster; what runs on it goes on."""
    ray.shutdown()


@contextlib.contextmanager
def connected(address: str, folder: str = "") -> Iterator[None]:
    """`connect` for the time of the block."""
    connect(address, folder)
    try:
        yield
    finally:
        disconnect()


def registry_name(stack: str, instance: int) -> str:
    return f"{stack}-{instance}"


def keeper_name(stack: str, instance: int, service: str) -> str:
    return f"{stack}-{instance}/{service}"


def agent_name(stack: str, instance: int, node: str) -> str:
    return f"{stack}-{instance}@{node}"


def stacks() -> list[tuple[str, int]]:
    """The stacks on this cluster, with the numbers of their instances."""
    named = [each["name"] for each in ray.util.list_named_actors(all_namespaces=True) if each["namespace"] == NAMESPACE]
    found = [name.rpartition("-") for name in named if "/" not in name and "@" not in name]
    return sorted((stack, int(number)) for stack, _, number in found if number.isdigit())


def keepers(stack: str, instance: int) -> list[str]:
    """The services of a stack that have a keeper, as the cluster itself knows, in the order of names."""
    named = ray.util.list_named_actors(all_namespaces=True)
    start = keeper_name(stack, instance, "")
    names = [each["name"] for each in named if each["namespace"] == NAMESPACE]
    return sorted(name.removeprefix(start) for name in names if name.startswith(start))


def has_head() -> bool:
    """Whether Ray takes the head for alive: only there it starts a registry."""
    return any(_HEAD in node["Resources"] for node in nodes())


def find(name: str) -> Any:
    """The actor of that name; raises Unreachable, or Gone."""
    try:
        return ray.get_actor(name, namespace=NAMESPACE)
    except ValueError as error:
        raise Gone(name) from error
    except RayError as error:
        raise Unreachable(name) from error


def ask(actor: Any, method: str, *arguments: Any, timeout: float = _ANSWER) -> Any:
    """What a method of an actor returns; raises Unreachable, or the PortsupError that it raised."""
    return ask_while(actor, method, *arguments, timeout=timeout, is_wanted=lambda: False)


def ask_while(
    actor: Any, method: str, *arguments: Any, is_wanted: Callable[[], bool], timeout: float = _ANSWER
) -> Any:
    """As `ask`, but after each `timeout` in which no answer came it goes on waiting if the answer is still wanted.

    An actor whose node is gone does not answer before Ray has another place for it, which may be never.
    """
    try:
        answer = getattr(actor, method).remote(*arguments)
        while True:
            try:
                return ray.get(answer, timeout=timeout)
            except GetTimeoutError:
                if not is_wanted():
                    raise
    except (RayError, TimeoutError, ConnectionError, AttributeError) as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, PortsupError):
            raise cause from None
        raise Unreachable(str(error)) from error


def make_registry(cls: type, plan: Mapping[str, Any]) -> Any:
    """The registry of a stack, beside the head; raises PortsupError if there is one already.

    Elsewhere it could be cut off from the cluster together with a node.
    """
    name = registry_name(plan["stack"], plan["instance"])
    needs: dict[str, Any] = {"num_cpus": 0, "resources": {_HEAD: 0.001}}
    try:
        return _made(cls, name, "DEFAULT", needs).remote(plan)
    except ValueError:
        raise words.already_up(plan["stack"], plan["instance"]) from None


def make_keeper(cls: type, plan: Mapping[str, Any], service: str) -> Any:
    """The keeper of a service, wherever Ray puts it by its `place`."""
    place = plan["services"][service]["place"]
    needs: dict[str, Any] = {"num_cpus": place["cpus"]}
    if place["gpus"]:
        needs["num_gpus"] = place["gpus"]
    if place["labels"]:
        needs["label_selector"] = dict(place["labels"])
    where: Any = "SPREAD" if place["spread"] else "DEFAULT"
    if place["node"]:
        where, resources = _on_node(place["node"], service)
        needs |= resources
    return _made(cls, keeper_name(plan["stack"], plan["instance"], service), where, needs).remote(plan, service)


def make_agent(cls: type, plan: Mapping[str, Any], node: str) -> None:
    """The agent of a node, where there is none yet."""
    where = NodeAffinitySchedulingStrategy(node, soft=False)
    with contextlib.suppress(ValueError):
        _made(cls, agent_name(plan["stack"], plan["instance"], node), where, {"num_cpus": 0}).remote(plan)


def _made(cls: type, name: str, where: Any, needs: Mapping[str, Any]) -> Any:
    options = {"max_restarts": -1, "max_task_retries": 0, "max_concurrency": 32, "lifetime": "detached", **needs}
    return ray.remote(cls).options(name=name, namespace=NAMESPACE, scheduling_strategy=where, **options)


def _on_node(name: str, service: str) -> tuple[Any, dict[str, Any]]:
    """How to have an actor on the node with this id, name, host name or address; raises PortsupError."""
    found = find_node(name, service)
    address = found["NodeManagerAddress"]
    if sum(node["NodeManagerAddress"] == address for node in nodes()) == 1:  # one that comes back has another id
        return "DEFAULT", {"resources": {f"node:{address}": 0.001}}
    return NodeAffinitySchedulingStrategy(found["NodeID"], soft=False), {}


def find_node(name: str, service: str) -> dict[str, Any]:
    """The node with this id, name, host name or address; raises PortsupError."""
    alive = nodes()
    keys = ("NodeID", "NodeName", "NodeManagerHostname", "NodeManagerAddress")
    found = [node for node in alive if name in (node[key] for key in keys)]
    if not found:
        raise words.no_node(name, service, [node_name(node["NodeID"], alive) for node in alive])
    return found[0]


def end(actor: Any) -> None:
    """Ends an actor for good."""
    with contextlib.suppress(RayError, ValueError):
        ray.kill(actor, no_restart=True)


def nodes() -> list[dict[str, Any]]:
    """The nodes that Ray takes for alive."""
    return [node for node in ray.nodes() if node["Alive"]]


def node_name(node: str, known: Sequence[Mapping[str, Any]]) -> str:
    """What people call a node: its name, with the beginning of its id where several have that."""
    names = {each["NodeID"]: str(each["NodeName"]) for each in known}
    name = names.get(node, node[:8])
    return f"{name}/{node[:6]}" if list(names.values()).count(name) > 1 else name


def here() -> tuple[str, str, int]:
    """The id and the address of the node of this worker, and the process of its raylet."""
    context = ray.get_runtime_context()
    return context.get_node_id(), ray.util.get_node_ip_address(), os.getppid()


def is_orphan(raylet: int) -> bool:
    """Whether the raylet of this worker is gone: Ray counts the worker as dead then, though it may live on."""
    return os.getppid() != raylet


def leave() -> NoReturn:
    """Ends this worker, which Ray knows no more."""
    os._exit(1)


def installed() -> str:
    """The version of portsup on this node."""
    try:
        return metadata.version("portsup")
    except metadata.PackageNotFoundError:
        return "unknown"


def new_holder() -> str:
    """What tells one keeper from the next one of the same name."""
    return uuid.uuid4().hex


def keep(key: str, value: bytes) -> None:
    """Writes into the memory of the cluster itself, which outlives its actors; raises Unreachable."""
    try:
        internal_kv._internal_kv_put(key, value, overwrite=True, namespace=_KEYS)
    except Exception as error:
        raise Unreachable(key) from error


def kept(key: str) -> bytes | None:
    """What `keep` has written; raises Unreachable."""
    try:
        found = internal_kv._internal_kv_get(key, namespace=_KEYS)
    except Exception as error:
        raise Unreachable(key) from error
    return None if found is None else bytes(found)


def forget(key: str) -> None:
    """Removes what `keep` has written."""
    with contextlib.suppress(Exception):
        internal_kv._internal_kv_del(key, namespace=_KEYS)
