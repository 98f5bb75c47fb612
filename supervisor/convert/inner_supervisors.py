"""Services that are another supervisor: what it starts can be services of their own."""

import re

from supervisor.convert.draft import Draft

_PROGRAMS = (
    (r"(?:foreman|honcho|overmind|goreman|forego|nf)(?= .*\bstart\b)|hivemind", r"(?:-f|--procfile|-j)", "Procfile"),
    (r"process-compose", r"(?:-f|--config)", "process-compose.yaml"),
    (r"mprocs", r"(?:-c|--config)", "mprocs.yaml"),
    (r"supervisord", r"(?:-c|--configuration)", "supervisord.conf"),
    (r"circusd", r"", "circus.ini"),
    (r"pm2(?:-runtime)?(?= (?:\S+ )*(?:start|reload|startOr\w+)\b| \S+\.(?:c?js|json|ya?ml))", r"", ""),
)
_FILE = re.compile(r"(?<!\S)[\w./-]+\.(?:cjs|js|json|ya?ml|ini)(?!\S)", re.ASCII)


def note(draft: Draft, text: str) -> None:
    """Say of a command line that starts another supervisor how what that one starts becomes services."""
    for program, option, usual in _PROGRAMS:
        found = re.search(rf"(?:^|[\s;&|(/])({program})(?![\w.-])(.*)", text, re.DOTALL | re.ASCII)
        if not found:
            continue
        rest = found[2]
        told = re.search(rf"(?<!\S){option}[= ]?([\w./-]+)", rest, re.ASCII) if option else _FILE.search(rest)
        file = (told[1] if option and told else told[0] if told else "") or usual
        if file:
            said = f"`{found[1]}` starts several programs: `portsup init --from {file}` makes each a service"
            if said not in draft.notes:
                draft.notes.append(said)
        return
