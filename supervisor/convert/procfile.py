"""Procfiles, as foreman, honcho, overmind and Heroku read them: `name: command line`."""

import re

from supervisor.convert import shell
from supervisor.convert.draft import Draft, Left, Outcome
from supervisor.convert.values import set_variables

_LINE = re.compile(r"([A-Za-z0-9_.-]+)\s*:\s*(.+)", re.ASCII)
JOBS = ("release",)


def convert(text: str) -> Outcome:
    """One service a line."""
    outcome = Outcome()
    for number, line in enumerate(re.sub(r"\\\r?\n", " ", text).splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if not found:
            outcome.left.append(Left(f"line {number}", "it is not `name: command`", "write it as a service by hand"))
            continue
        draft = Draft(found[1])
        read = shell.read(found[2])
        shell.give(draft, read)
        draft.keep_stdin()
        set_variables(draft, dict(read.environment))
        if draft.name in JOBS and not draft.gets_port:
            draft.has_pool = False
            draft.fields |= {"restart": "never", "one_shot": True}
            draft.notes.append("a job that runs once: make the others wait with `depends_on: [release]`")
        elif draft.name == "web":
            draft.gets_port = draft.gets_port or not draft.ports  # Heroku tells it by PORT in any case
            draft.fields.setdefault("port_env", "PORT")
        outcome.services.append(draft)
    return outcome
