"""Files that `portsup export` wrote: what it adds for programs that run without portsup is not theirs to keep."""

from supervisor.config.scalars import tidy_name
from supervisor.config.secret_names import is_secret_name
from supervisor.convert.draft import Draft, Outcome
from supervisor.convert.own_port import is_number

_MARK = "PORTSUP_SERVICE"  # portsup sets it for every service, and so does `export`
_ADDED = (_MARK, "PORTSUP_INSTANCE")
_FIRST, _LAST = "PYTHONUNBUFFERED", "HOST"  # between them is the variable of the port
_USUAL = {_FIRST: ("1",), _LAST: ("127.0.0.1", "0.0.0.0")}


def recall(outcome: Outcome) -> None:
    """Give the services of such a file their names, their port variables and nothing that portsup sets by itself."""
    own = [draft for draft in outcome.services if draft.of_portsup.get(_MARK)]
    names = {draft.name: str(draft.of_portsup[_MARK]) for draft in own}
    if len(own) != len(outcome.services) or len(set(names.values())) != len(own):
        return
    for draft in own:
        if not outcome.name and draft.name.endswith(f"-{names[draft.name]}"):
            outcome.name = tidy_name(draft.name.removesuffix(f"-{names[draft.name]}"))
    for draft in own:
        _variables(draft, set(names.values()))
        if needs := draft.fields.get("depends_on"):
            draft.fields["depends_on"] = {names.get(need, need): how for need, how in needs.items()}
        draft.name = names[draft.name]
        draft.hosts = [draft.name]


def _variables(draft: Draft, services: set[str]) -> None:
    variables = draft.environment
    told = {f"PORTSUP_{_plain(name)}_{what}" for name in services for what in ("PORT", "URL")}
    variables |= {name: value for name, value in draft.of_portsup.items() if name not in told and name not in _ADDED}
    draft.left[:] = [left for left in draft.left if not left.what.startswith("variable `PORTSUP_")]
    variables.pop("PATH", None)
    names = list(variables)
    if names[:1] == [_FIRST] and names[2:3] == [_LAST] and is_number(number := str(variables[names[1]])):
        del variables[names[1]]
        draft.fields["port_env"] = names[1]
        draft.gets_port = True
        draft.ports = [int(number), *(each for each in draft.ports if each != int(number))]
    if draft.fields.get("env_file"):  # its secrets are in there, and would not be heard
        for name in [each for each, value in variables.items() if value == "" and is_secret_name(each)]:
            del variables[name]
    for name, values in _USUAL.items():
        if variables.get(name) in values:
            del variables[name]
    if draft.gets_port:
        draft.notes[:] = [note for note in draft.notes if not note.startswith("`PORT=")]


def _plain(name: str) -> str:
    return "".join(char if char.isascii() and char.isalnum() else "_" for char in name).upper()
