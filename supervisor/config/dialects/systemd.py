"""Directives of systemd units as keys of ours."""

import re

from supervisor.config.dialects.programs import command_of
from supervisor.config.dialects.sections import signal_of
from supervisor.config.dialects.writing import Beside, pair, text_of
from supervisor.config.rewriting import block
from supervisor.config.tree import Mapping, Node, Scalar, Sequence


def unit_type(node: Node, beside: Beside) -> str:
    """`Type=` of systemd."""
    known = {"oneshot": "write `one_shot: true`", "notify": "write `ready: {notify: true}`"}
    fork = "leave it out, and run the program in the foreground: portsup needs to be its parent"
    return known.get(
        text_of(node).lower(), fork if text_of(node).lower() == "forking" else "leave it out: that is what portsup does"
    )


def kill_mode(node: Node, beside: Beside) -> str:
    """`KillMode=` of systemd."""
    if text_of(node).lower() in ("mixed", "process"):
        signal = signal_of(text_of(beside.values.get("killsignal")) or "TERM")
        return f"write `stop_signal: {{signal: {signal}, to: main}}`"
    return "leave it out: portsup stops the whole process tree"


def kill_signal(node: Node, beside: Beside) -> str:
    """`KillSignal=` of systemd."""
    if text_of(beside.values.get("killmode")).lower() in ("mixed", "process"):
        return "leave it out: `stop_signal` has it, see `KillMode`"
    return f"write `stop_signal: {signal_of(text_of(node))}`"


def units(node: Node, beside: Beside) -> str:
    """`After=` and `Requires=` of systemd."""
    if isinstance(node, Mapping):  # a probe, as `wait_for: {tcp: 6379}`
        return "write `depends_on: {NAME: ready}` to wait for another service; `ready` says when this one is"
    names = re.split(r"[\s,]+", text_of(node)) if isinstance(node, Scalar) else []
    if isinstance(node, Sequence):
        names = [text_of(item) for item in node.items]
    if any(re.search(r"://|^[\w.-]+:\d+$", name) for name in names):
        return "write `depends_on: [NAME]`, the service that answers there: its `ready` says when it does"
    own = [name.removesuffix(".service") for name in names if name and "." not in name.removesuffix(".service")]
    if not own:
        return "leave it out: portsup starts when the machine is up"
    if "dependson" in beside.values:
        return f"leave it out; `depends_on` has to name `{'`, `'.join(own)}`"
    return f"write `depends_on: [{', '.join(own)}]`"


def exec_stop(node: Node, beside: Beside) -> str:
    """`ExecStop=` of systemd."""
    text = text_of(node)
    found = re.search(r"kill\s+-(?:s\s+)?([A-Z0-9]+)\s+.*MAINPID", text)
    if "MAINPID" in text:
        return f"write `stop_signal: {signal_of(found[1]) if found else 'SIGTERM'}`"
    return f"write `stop_command: {command_of(text)}`"


def environment_file(node: Node, beside: Beside) -> str:
    """`EnvironmentFile=` of systemd, where `-` says that it need not be there."""
    text = text_of(node)
    if text.startswith("-"):
        return f"write `env_file: {{path: {block(text[1:])}, required: false}}`"
    return f"write `{pair('env_file', node)}`"
