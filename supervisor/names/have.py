"""Has the proxy run and answer for a stack: starts it where there is none, and says in one line how that went."""

import json
import os
import socket
import time
from typing import Any

from supervisor.api.name_proxy import NameProxy, python, usable_caddy
from supervisor.core.address import LOOPBACK, LOOPBACK_V6
from supervisor.core.hostnames import domain_of
from supervisor.errors import PortsupError
from supervisor.names.caddy import configuration
from supervisor.names.task import Task
from supervisor.names.unix_http import post
from supervisor.words import naming

WITHIN = 60.0  # seconds
_UP_WITHIN = 30.0
_ANSWER_WITHIN = 5.0
_PAUSE = 0.1


def main(task: Task) -> int:
    """1 where there is no proxy for this stack; then the line says why."""
    try:
        told = _have(task)
    except PortsupError as error:
        told = {"why": error.why or error.what, "hint": error.hint}
    except OSError as error:
        told = {"why": f"`{error.filename}`: {error.strerror}" if error.filename else str(error), "hint": ""}
    print(json.dumps(told), flush=True)
    return 0 if told.get("ok") else 1


def _have(task: Task) -> dict[str, Any]:
    proxy = NameProxy(task.port, task.runtime, task.state)
    asked = json.dumps({"run": task.run, "https": task.https}).encode()
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        if not proxy.places.is_running():
            if trouble := _start(proxy, task):
                return trouble
        elif (answer := _ask(proxy, asked)) is not None:
            return answer
        else:
            time.sleep(_PAUSE)  # it is just starting, or ending
    return {"why": naming.not_ready(WITHIN), "hint": ""}


def _ask(proxy: NameProxy, asked: bytes) -> dict[str, Any] | None:
    try:
        status, body = post(proxy.places.follower, "/have", asked, _ANSWER_WITHIN)
        answer = json.loads(body)
    except (OSError, ValueError):
        return None
    return answer if status == 200 and isinstance(answer, dict) else None


def _start(proxy: NameProxy, task: Task) -> dict[str, Any] | None:
    """Why it cannot be started; None where it was, by whomever."""
    caddy = usable_caddy()
    if held := proxy.why_no_port():
        if proxy.places.is_running():  # meanwhile, by another stack
            return None
        why, hint = naming.port_taken(task.port, held)
        return {"why": why, "hint": hint}
    domains = [domain_of(task.stack, task.instance)] if task.https else []
    proxy.prepare(_services(proxy, task, caddy), configuration(proxy.places, task.port, hosts(), domains, proxy.home))
    came = proxy.up(_UP_WITHIN)
    if came.ok or proxy.places.is_running():
        return None
    return {"why": naming.not_started(came.words), "hint": ""}


def hosts() -> list[str]:
    """The addresses of this machine itself."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((LOOPBACK_V6, 0))
    except OSError:
        return [LOOPBACK]
    return [LOOPBACK, f"[{LOOPBACK_V6}]"]


def _services(proxy: NameProxy, task: Task, caddy: str) -> dict[str, Any]:
    told = {"port": task.port, "https": task.https, "runtime": task.runtime, "state": task.state}
    endless = {"max_restarts": "infinite", "delay": "100ms", "max_delay": "10s"}
    home = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), proxy.home)
    return {
        "caddy": {
            "command": [caddy, "run", "--config", proxy.places.config], "pool": [task.port], "environment": home,
            "umask": "0077", "restart": "always", "restart_policy": endless, "stop_grace_period": "1s",
            "hooks": {"post_start": ["chmod", "600", proxy.places.admin]},
        },
        "follow": {
            "command": python("supervisor.names", "follow", json.dumps(told)), "working_dir": os.sep, "umask": "0077",
            "restart": "on-failure", "restart_policy": endless, "on_end": {"success": "stop_all"},
            "stop_grace_period": "1s", "ready": "started",
        },
    }  # fmt: skip
