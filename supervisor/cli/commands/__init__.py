"""Every command of `portsup`: where it stands in the help, the module that carries it out, and one line about it.

A module of this folder has `add_arguments(parser)` and `run(args) -> int`, and may have `EXAMPLES`.
"""

GROUPS: dict[str, dict[str, str]] = {
    "run the stack": {
        "up": "start the services, in the foreground or in the background",
        "down": "stop all services and end the instance",
        "start": "start services of the running instance",
        "stop": "stop services; the others go on",
        "restart": "restart services; they keep their ports",
        "reload": "apply the changes in services.yaml to the running instance",
        "rotate": "move a service to the next port of its pool",
        "scale": "run more or fewer processes of a service",
        "kill": "send a signal to services",
        "exec": "run one program with a pool, without a services.yaml",
        "lease": "lease ports while a command runs",
    },
    "look at it": {
        "status": "list the services with port, state and health (also: ps)",
        "port": "print the current port of a service",
        "url": "print the current URL of a service",
        "env": "print variables with the addresses of the services",
        "ports": "list the ports of this instance, or of the machine",
        "ls": "list the running instances",
        "logs": "print the output of services, or follow it with -f",
        "events": "print the events of services, or follow them with -f",
        "why": "explain what went wrong with a service, and what to do",
        "wait": "wait until services are ready, healthy, or have exited",
        "timings": "show how long the last start took, and what delayed it",
        "metrics": "print the state of the services as OpenMetrics text",
        "web": "show the stack in a browser, and work with it there",
        "top": "show the stack in this terminal, live",
        "mcp": "let coding agents look at the stack and work with it",
        "graph": "show which service needs which",
    },
    "configuration": {
        "init": "write a services.yaml, or convert another supervisor's file",
        "config": "validate services.yaml, or print it fully resolved",
        "unit": "print a systemd unit that starts the stack at boot",
        "export": "write systemd units, quadlets, compose or Kubernetes files",
        "schema": "print the JSON Schema of services.yaml",
        "doctor": "check this machine for problems, and say what to do",
        "prune": "remove what ended runs left behind",
        "completion": "print the completion script for bash, zsh or fish",
        "man": "print the manual page",
    },
}
ALIASES = {"ps": "status"}
# Those that know `--on`.
ON_CLUSTERS = frozenset({
    "up", "down", "start", "stop", "restart", "rotate", "kill", "status", "port", "url", "logs", "events", "why",
})  # fmt: skip
# Those that say why they do not; what they work with is on one machine.
NOT_ON_CLUSTERS = frozenset({"reload", "scale", "wait", "env", "top", "web", "timings", "metrics"})

LINES: dict[str, str] = {name: line for group in GROUPS.values() for name, line in group.items()}


def did_you_mean(word: str, known: "list[str] | tuple[str, ...]") -> str:
    """A hint naming what `word` is closest to, or nothing; the dashes of options make no two of them alike."""
    import difflib

    plain = {each.lstrip("-"): each for each in known}
    close = difflib.get_close_matches(word.lstrip("-"), plain, n=1)
    return f"did you mean `{plain[close[0]]}`?" if close else ""
