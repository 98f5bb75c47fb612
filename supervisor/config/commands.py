"""Holds every command of a service against what only a shell, or compose, would understand."""

import re
from collections.abc import Iterator

from supervisor.config import port_killers
from supervisor.config.fields import Fields, Found, has_hooks
from supervisor.config.lines import stray_line, without_continuations
from supervisor.config.report import Report
from supervisor.config.scalars import Word
from supervisor.config.shell import Kind, Syntax, syntax_among, syntax_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.config.rewriting import Around

_OF_COMPOSE = ("CMD", "CMD-SHELL", "NONE")
_TYPOGRAPHY = re.compile(
    "(?P<quote>[\u201c\u201d\u201e\u00ab\u2018\u2019])|[\u2010-\u2015\u2212]{1,2}(?P<option>[A-Za-z][\\w=.:/-]*)$"
)
_REASONS = {
    Kind.OPERATOR: "`{}` needs a shell, and portsup runs commands without one",
    Kind.SUBSTITUTION: "`{}` needs a shell, and portsup runs commands without one",
    Kind.ASSIGNMENT: "`{}` sets a variable in a shell, and portsup runs commands without one",
    Kind.BUILTIN: "`{}` is a word of the shell, and portsup runs commands without one",
    Kind.TILDE: "`{}` is passed on as it is: there is no shell that puts the home directory there",
    Kind.VARIABLE: "`{}` is passed on as it is: there is no shell that fills it in",
    Kind.PATTERN: "`{}` is passed on as it is: there is no shell that looks for the files",
    Kind.COMMENT: "`{}` and what follows are passed on: there is no shell to take it for a comment",
    Kind.ONE_WORD: "`{}` is taken for the name of one program",
    Kind.SCRIPT: "a shell takes one word behind `-c` for the script, here `{}` alone",
}


def check(fields: Fields, where: str, report: Report) -> None:
    """Reports what is wrong with the commands of a service."""
    for path, words in _commands(fields):
        _check_killers(words, f"{where}.{path}", report)
        _check_typography(words, f"{where}.{path}", report)
        check_words(words, f"{where}.{path}", report, fields if path == "command" else None, fields)


def check_words(
    words: tuple[Word, ...], where: str, report: Report, own: Fields | None = None, fields: Fields | None = None
) -> None:
    """Reports what is wrong with a command; `own` is the service whose program it starts, `fields` that it is of."""
    if not words:
        return
    if words[0].text in _OF_COMPOSE and not (len(words) > 1 and words[1].text.startswith("/")):
        _check_compose(words, where, report)
        return
    whole = words[0].whole
    written = [word.node.written for word in words]
    if whole is None:
        found = syntax_among([word.text for word in words], written)
        place = words[found.start].node.place if found else words[0].node.place
    else:
        is_filled_in = whole.filled and whole.written.strip().startswith("${") and "}" not in whole.written.strip()[:-1]
        text = whole.text if is_filled_in else whole.written
        found = syntax_in(without_continuations(text))
        place = whole.at(found.start) if found and not whole.filled else whole.place
    if found is None:
        if whole is not None and (stray := stray_line(text)):
            offset, reason, hint = stray
            place = whole.place if whole.filled else whole.at(offset)
            report.error(place, f"{where}: {report.quote(whole.written)} {reason}", _masked(hint))
        return
    from supervisor.config import rewriting

    around = _around(where, own, fields)
    if whole is None:
        hint = rewriting.for_list(written, found, around)
    elif is_filled_in:
        hint = f"write `{rewriting.in_shell(whole.written.strip(), around.key)}`"
    else:
        hint = rewriting.for_text(without_continuations(text), found, around)
    report.error(place, f"{where}: {_reason(found, report)}", _masked(hint))


def _check_killers(words: tuple[Word, ...], where: str, report: Report) -> None:
    if not words:
        return
    is_script = len(words) > 2 and re.fullmatch(r"-\w*c", words[-2].text)
    script = words[-1].text if is_script else " ".join(word.text for word in words)
    if killer := port_killers.in_script(script):
        reason = f"{report.quote(killer)} kills whoever has a port, and that is portsup, which holds it"
        report.warn(words[-1 if is_script else 0].node.place, f"{where}: {reason}; leave it out")


def _check_typography(words: tuple[Word, ...], where: str, report: Report) -> None:
    """Quotes and dashes that a text processor has put there: a program gets them as they are."""
    for word in words:
        found = _TYPOGRAPHY.match(word.text)
        if found is None or (found["quote"] and _is_text(word)):
            continue
        shown, plain = (found["quote"], '"') if found["quote"] else (word.text, f"--{found['option']}")
        what = "is a typographic quote" if found["quote"] else "begins with a typographic dash"
        reason = f"{report.quote(shown)} {what}, which the program gets as it is"
        if word.whole is None:
            report.warn(word.node.place, f"{where}: {reason}; write `{plain}`")
        else:
            hint = f"write `{plain}`; where it is meant, write the command as a list"
            report.error(word.whole.place, f"{where}: {reason}", hint)
        return


def _is_text(word: Word) -> bool:
    """Whether a word may begin with any quote: an item of a list, or one that stands between quotes of a shell."""
    return word.whole is None or any(f"{each}{word.text}{each}" in word.whole.written for each in "'\"")


def _reason(found: Syntax, report: Report) -> str:
    return _REASONS[found.kind].replace("`{}`", report.quote(found.token))


def _check_compose(words: tuple[Word, ...], where: str, report: Report) -> None:
    """`test: [CMD-SHELL, …]` of a compose file is no command: its first word says how the rest is run."""
    from supervisor.config import rewriting

    key, first = where.rpartition(".")[2], words[0]
    whole = first.whole
    if first.text == "NONE":
        hint = "leave `healthcheck` out" if ".healthcheck." in f"{where}." else "leave it out"
    elif len(words) == 1:
        hint = f"write `{key}: [PROGRAM, ARGUMENT]`"
    elif first.text == "CMD-SHELL":
        text = whole.written.strip().removeprefix("CMD-SHELL") if whole else " ".join(w.node.written for w in words[1:])
        hint = f"write `{rewriting.in_shell(text.strip(), key)}`"
    else:
        hint = f"write `{key}: {rewriting.flow_list([word.node.written for word in words[1:]])}`"
    reason = f"`{first.text}` is a word of compose, not a program"
    report.error(first.node.place, f"{where}: {reason}", _masked(hint))


def _masked(hint: str) -> str:
    from supervisor.config.secrets import masked_words

    return masked_words((hint,))[0]


def _around(where: str, own: Fields | None, fields: Fields | None) -> "Around":
    from supervisor.config.rewriting import Around

    key = where.rpartition(".")[2]
    port = fields.get("port_env", "PORT") if fields and "pool" in fields.found else ""
    user = fields.get("user", "") if fields else ""
    if own is None:
        return Around(key, port=port, user=user)
    variables: dict[str, Found] = own.get("environment", {})
    is_list = any(item.place == item.key for item in variables.values())
    environment = "list" if is_list else "mapping" if "environment" in own.found else ""
    return Around(key, True, own.get("working_dir", ""), environment, port, user)


def _commands(fields: Fields) -> Iterator[tuple[str, tuple[Word, ...]]]:
    """Each command of a service with the path of its key."""
    yield "command", fields.get("command", ())
    if has_hooks(fields):
        from supervisor.config import hooks

        yield from hooks.commands(fields)
    for key in ("ready", "healthcheck"):
        probe: Fields | None = fields.get(key)
        if probe is not None:
            yield f"{key}.exec", probe.get("exec", ())
