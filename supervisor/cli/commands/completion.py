"""`portsup completion`: what makes the Tab key know the commands, their options and the running services."""

import argparse
import re
from collections.abc import Mapping

EXAMPLES = """\
  portsup completion bash > ~/.local/share/bash-completion/completions/portsup
  portsup completion zsh > ~/.zfunc/_portsup      (with ~/.zfunc in fpath)
  portsup completion fish > ~/.config/fish/completions/portsup.fish"""

SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The shell is all that `completion` takes."""
    parser.add_argument("shell", choices=SHELLS, help="the shell")


# What completes a word, in the form that shtab wants: it is asked for at each Tab, not once a session.
# The services are those that run; where none does (exit code 4), those of services.yaml.
_RUNNING, _WRITTEN = "portsup status --quiet 2>/dev/null", "portsup config show --services 2>/dev/null"
_INSTANCES = "portsup ls --quiet 2>/dev/null"
_SIGNALS = "TERM INT HUP QUIT USR1 USR2 KILL STOP CONT ABRT WINCH"
SERVICES = {
    "bash": "_portsup_services",
    "zsh": "_portsup_services",
    "fish": f"({_RUNNING}; or {_WRITTEN})",  # shtab's quotes would fill $status in at once; fish drops doubles
    "preamble": {
        "bash": f'_portsup_services() {{\n  compgen -W "$({_RUNNING}; [ $? -ne 4 ] || {_WRITTEN})" -- "$1"\n}}\n',
        "zsh": f'_portsup_services() {{\n  compadd -- ${{(f)"$({_RUNNING}; [ $? -ne 4 ] || {_WRITTEN})"}}\n}}\n',
    },
}
INSTANCES = {
    "bash": "_portsup_instances",
    "zsh": "_portsup_instances",
    "fish": f"({_INSTANCES})",
    "preamble": {
        "bash": f'_portsup_instances() {{ compgen -W "$({_INSTANCES})" -- "$1"; }}\n',
        "zsh": f'_portsup_instances() {{ compadd -- ${{(f)"$({_INSTANCES})"}}; }}\n',
    },
}
SIGNALS = {
    "bash": "_portsup_signals",
    "zsh": "_portsup_signals",
    "fish": _SIGNALS,
    "preamble": {
        "bash": f'_portsup_signals() {{ compgen -W "{_SIGNALS}" -- "$1"; }}\n',
        "zsh": f"_portsup_signals() {{ compadd -- {_SIGNALS}; }}\n",
    },
}


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    from supervisor.cli.parser import full

    parser = full()
    services = {"SERVICE": SERVICES, "SERVICE=N": SERVICES}
    _offer(parser, {**services, "FILE": shtab.FILE, "SIG": SIGNALS, "--instance": INSTANCES})
    script = shtab.complete(parser, shell=args.shell)
    if args.shell == "zsh":
        # shtab 1.13 writes a repeated argument as `(*):`, which zsh takes for one argument alone; `*:` repeats.
        script = re.sub(r'^  "\(\*\)::?', '  "*:', script, flags=re.MULTILINE)
    print(script)
    return 0


def _offer(parser: argparse.ArgumentParser, known: Mapping[str, object]) -> None:
    """Say how each argument is completed whose option or metavar is in `known`."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in set(action.choices.values()):
                _offer(child, known)
            continue
        names = [*action.option_strings, *([action.metavar] if isinstance(action.metavar, str) else [])]
        if found := [known[name] for name in names if name in known]:
            action.complete = found[0]  # type: ignore[attr-defined]
