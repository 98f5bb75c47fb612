"""Knows a whole file of another program that is called services.yaml."""

import re

from supervisor.config.dialects.advice import folded
from supervisor.config.tree import Mapping, Node, Scalar

TOML = "TOML"
_TEXTS = (
    (r"^\s*\[(?:program|group|eventlistener|fcgi-program):|^\s*\[(?:supervisord|supervisorctl|unix_http_server)\]",
     "supervisord", "supervisord.conf"),
    (r"^\s*\[(?:Unit|Service|Install)\]", "systemd", "app.service"),
    (r"^\s*\[(?:watcher:|circus\])", "circus", "circus.ini"),
    (r"^\s*\[daemons\.", "pitchfork", "pitchfork.toml"),
    (r"^\s*\[+(?:services?|stack|portsup|tool|processes|programs?)[.\]]", TOML, ""),
    (r"^\s*module\.exports\s*=", "pm2", "ecosystem.config.js"),
)  # fmt: skip
KUBERNETES = "Kubernetes"
_OF_COMPOSE = frozenset(("version", "volumes", "networks", "secrets", "configs"))


def of_text(text: str) -> tuple[str, str]:
    """The program that a text which is no YAML was written for, and how its file is called there; empty for none."""
    for pattern, program, name in _TEXTS:
        if re.search(pattern, text[:100_000], re.MULTILINE):
            return program, name
    return "", ""


def of_tree(tree: Node) -> tuple[str, str]:
    """The same for a file that is YAML, but not ours."""
    if not isinstance(tree, Mapping):
        return "", ""
    keys = {folded(entry.key.text): entry.value for entry in tree}
    if {"apiversion", "kind"} <= keys.keys():
        return KUBERNETES, ""
    services = keys.get("services")
    if isinstance(services, Mapping):
        inner = {
            folded(each.key.text) for entry in services if isinstance(entry.value, Mapping) for each in entry.value
        }
        is_compose = inner & {"image", "build", "containername"} or _OF_COMPOSE & keys.keys()
        if inner & {"livenessprobe", "readinessprobe"} and not inner & {"image", "build"}:
            return "", ""  # the words of several
        return ("compose", "compose.yaml") if is_compose else ("", "")
    if isinstance(keys.get("processes"), Mapping):
        return "process-compose", "process-compose.yaml"
    if isinstance(keys.get("procs"), Mapping):
        return "mprocs", "mprocs.yaml"
    if isinstance(keys.get("scripts"), Mapping) and "services" not in keys:
        return "npm", "package.json"
    if "apps" in keys:
        return "pm2", "ecosystem.json"
    if isinstance(keys.get("mcpservers"), Mapping):
        return "MCP clients", ".mcp.json"
    if isinstance(keys.get("service"), Mapping) and keys.keys() & {"unit", "install"}:
        return "systemd", ""
    is_flat = len(keys) > 0 and "services" not in keys and "name" not in keys
    if is_flat and all(isinstance(value, Scalar) and " " in value.text for value in keys.values()):
        return "foreman", "Procfile"
    return "", ""


def hint(text: str, tree: Node | None, file: str) -> str:
    """How to convert the file as a whole; empty for one that only has mistakes."""
    program, name = of_text(text) if tree is None else of_tree(tree)
    if not program:
        return ""
    if program == TOML:
        return "this is TOML: write `services: {NAME: {command: [PROGRAM, ARGUMENT]}}`, in YAML"
    if program == KUBERNETES:
        return "this is a manifest of Kubernetes: write a service with the `command` of each of its containers"
    if name.endswith(".json") and not text.lstrip().startswith(("{", "[")):
        name = {"pm2": "ecosystem.config.yml"}.get(program, "")
    if not name:
        return f"this looks like a file of {program}; each of its programs is `services: {{NAME: {{command: …}}}}` here"
    return f"this looks like a file of {program}; to convert it: `mv {file} {name} && portsup init --from {name}`"
