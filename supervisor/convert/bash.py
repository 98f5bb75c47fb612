"""Command lines of programs that run them by bash: kept for bash where `sh` would not understand them."""

import re
from typing import Any

from supervisor.convert.draft import Draft

_BEGIN = r"(?:^|[;&|\n({]\s*)"
_OF_BASH = re.compile(
    r"\[\[|\bpipefail\b|[<>]\(|(?<!\$)\(\(|\w=\(|&>|\|&|\{\w+\.\.\w+|\$'|<<<|\$\{#?\w+(?:\[|/|\^|,,?|:\d|@)|\$\{!|\$\["
    rf"|{_BEGIN}(?:source|declare|typeset|shopt|mapfile|readarray|let|select|pushd|popd|disown|function)\b"
    r"|\bread\s+-[a-qs-z]|\becho\s+-[en]|\b(?:BASH\w*|RANDOM|SECONDS|FUNCNAME|PIPESTATUS)\b|\bERR\b|\bwait\s+-n"
    r"|\bexport\s+-f|\bprintf\s+-v|\[\s[^]]*==|\w\(\)\s*\{.*\blocal\b.*=\(",
    re.ASCII | re.DOTALL,
)


def keep(draft: Draft) -> None:
    """Have bash run what needs it: the command, checks, and what stops the service."""
    found = [_changed(draft.fields.get(key)) for key in ("command", "stop_command")]
    found += [
        _changed(probe.get("exec"))
        for key in ("ready", "healthcheck")
        if isinstance(probe := draft.fields.get(key), dict)
    ]
    if any(found):
        if found[0]:
            draft.notes = [note for note in draft.notes if not note.startswith("run by `sh -c`")]
        draft.notes.append("run by `bash`, as there: `sh` does not know all of it")


def _changed(words: Any) -> bool:
    """Whether a command is for bash; it is then."""
    is_shell = isinstance(words, list) and words[:2] == ["sh", "-c"] and len(words) == 3
    if is_shell and _OF_BASH.search(words[2].replace("$$", "$")):
        words[0] = "bash"
        return True
    return False
