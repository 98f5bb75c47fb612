"""Every command of `portsup`: where it stands in the help, the module that carries it out, and one line about it.

A module of this folder has `add_arguments(parser)` and `run(args) -> int`, and may have `EXAMPLES`.
"""

GROUPS: dict[str, dict[str, str]] = {
    "run the stack": {
        "up": "start the services and stay with them, or go to the background with -d",
        "down": "stop every service of the running instance and end it",
        "start": "start services of the running instance",
        "stop": "stop services; the others go on",
        "restart": "stop services and start them again, each on its port",
        "reload": "apply what has changed in services.yaml to the running instance",
        "rotate": "move a service to the next port of its pool",
        "kill": "send a signal to services",
        "exec": "run one program under a pool of ports, without a services.yaml",
        "lease": "keep ports for as long as a command runs",
    },
    "look at it": {
        "status": "list the services with port, state and health (also: ps)",
        "port": "print the port a service has now",
        "url": "print the URL a service has now",
        "env": "print the variables that lead to the running services",
        "ports": "list the leased ports of this instance, or of the machine",
        "ls": "list the running instances",
        "logs": "print what the services wrote, and follow it with -f",
        "events": "print what happened to the services, and follow it with -f",
        "why": "tell what went wrong with a service, and what to do next",
        "wait": "wait until services are listening, ready, healthy, or have exited",
        "timings": "tell how long the last start took, service by service, and who kept it",
        "metrics": "print the state of the services as OpenMetrics text",
        "mcp": "let coding agents look at the stack and work with it",
        "graph": "show which service needs which",
    },
    "configuration": {
        "init": "write a services.yaml for this folder, or convert another supervisor's file",
        "config": "check services.yaml, or show what it comes to",
        "unit": "print a unit of systemd that runs the stack from the boot on",
        "schema": "print the JSON Schema of services.yaml",
        "doctor": "look for what may be wrong on this machine, and say what to do about it",
        "prune": "end and remove what runs that are over have left",
        "completion": "print the completion script for bash, zsh or fish",
        "man": "print the manual page",
    },
}
ALIASES = {"ps": "status"}

LINES: dict[str, str] = {name: line for group in GROUPS.values() for name, line in group.items()}


def did_you_mean(word: str, known: "list[str] | tuple[str, ...]") -> str:
    """A hint naming what `word` is closest to, or nothing."""
    import difflib

    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean `{close[0]}`?" if close else ""
