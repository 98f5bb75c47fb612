"""`portsup completion`: what makes the Tab key know the commands, their options and the running services."""

import argparse
import re
from collections.abc import Mapping

EXAMPLES = """\
  portsup completion bash > ~/.local/share/bash-completion/completions/portsup
  portsup completion zsh > ~/.zfunc/_portsup      (with ~/.zfunc in fpath, before compinit)
  portsup completion fish > ~/.config/fish/completions/portsup.fish"""

SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The shell is all that `completion` takes."""
    parser.add_argument("shell", choices=SHELLS, help="the shell that is to complete")


# What completes SERVICE, in the form that shtab wants: the names are asked for at each Tab, not once a session.
_NAMES = "portsup status --quiet 2>/dev/null"
SERVICES = {
    "bash": "_portsup_services",
    "zsh": "_portsup_services",
    "fish": f"({_NAMES})",
    "preamble": {
        "bash": f'_portsup_services() {{ compgen -W "$({_NAMES})" -- "$1"; }}\n',
        "zsh": f'_portsup_services() {{ compadd -- ${{(f)"$({_NAMES})"}}; }}\n',
    },
}


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    from supervisor.cli.parser import full

    parser = full()
    _offer(parser, {"SERVICE": SERVICES, "FILE": shtab.FILE})
    script = shtab.complete(parser, shell=args.shell)
    if args.shell == "zsh":
        # shtab 1.13 writes a repeated argument as `(*):`, which zsh takes for one argument alone; `*:` repeats.
        script = re.sub(r'^  "\(\*\)::?', '  "*:', script, flags=re.MULTILINE)
    print(script)
    return 0


def _offer(parser: argparse.ArgumentParser, known: Mapping[str, object]) -> None:
    """Say how each argument is completed that has a metavar of `known`."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in set(action.choices.values()):
                _offer(child, known)
        elif isinstance(action.metavar, str) and action.metavar in known:
            action.complete = known[action.metavar]  # type: ignore[attr-defined]
