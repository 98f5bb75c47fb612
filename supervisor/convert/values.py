"""Values of other programs' files as services.yaml writes them; what makes no sense there gives None."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from supervisor.config import placeholders
from supervisor.config.foreign import Tagged
from supervisor.config.kinds import ACCOUNT, VARIABLE
from supervisor.convert import references
from supervisor.convert.draft import Draft, Filled
from supervisor.core import signals

LONGEST = 365 * 24 * 3600.0  # seconds that services.yaml takes
SMALLEST_LOG, LARGEST_LOG = 4096, 1024**4
_UNITS = {"us": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h|d)", re.ASCII)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.ASCII | re.IGNORECASE)
REFERENCE = re.compile(  # as compose knows them
    r"\$\$|\$(?P<plain>[A-Za-z_]\w*)|\$\{(?P<name>[A-Za-z_]\w*)(?P<sign>:?[-?+])?(?P<word>(?:[^{}$]|\$\$|\$\{[^{}]*\})*)\}",
    re.ASCII,
)
BRACED = re.compile(  # as process-compose does: a `$` without a brace is for the shell
    r"\$\$|\$\{(?P<name>[A-Za-z_]\w*)(?P<sign>:?[-?+=])?(?P<word>(?:[^{}$]|\$\$|\$\{[^{}]*\})*)\}(?P<plain>(?!))?",
    re.ASCII,
)


def cleaned(value: Any) -> Any:
    """The same data without characters that no file can hold: NUL and halves of surrogate pairs."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode().replace("\0", "")
        case dict():
            return {cleaned(key): cleaned(item) for key, item in value.items()}
        case list():
            return [cleaned(item) for item in value]
        case Tagged():
            return Tagged(value.tag, cleaned(value.value))
    return value


def texts(value: Any) -> list[str]:
    """The items of a list, or of what may stand in place of a list."""
    if isinstance(value, list):
        return [str(item) for item in value if isinstance(item, str | int | float)]
    return [str(value)] if isinstance(value, str | int | float) and value != "" else []


def mapping(value: Any) -> dict[str, Any]:
    """A mapping with texts as keys; nothing for anything else."""
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def seconds(value: Any, unit: float = 1.0) -> float | None:
    """The seconds of `1m30s` or of a plain number, which counts in `unit` seconds."""
    text = str(value).strip()
    if re.fullmatch(r"\d{1,15}(\.\d{1,9})?", text, re.ASCII):
        found = float(text) * unit
    elif len(text) < 60 and re.fullmatch(f"(?:{_SPAN.pattern})+", text, re.ASCII):
        found = sum(float(part[1]) * _UNITS[part[2]] for part in _SPAN.finditer(text))
    else:
        return None
    return found if found <= LONGEST else None


def duration(value: float, least: float = 0.0) -> str:
    """Seconds as services.yaml writes them."""
    return f"{max(value, least):.3f}".rstrip("0").rstrip(".") + "s"


def whole(value: Any, least: int, most: int) -> int | None:
    """A whole number within bounds."""
    text = str(value).strip()
    if not re.fullmatch(r"\d{1,15}", text, re.ASCII) or not least <= int(text) <= most:
        return None
    return int(text)


def port(value: Any, known: Mapping[str, str] | None = None) -> int | None:
    """A port number; of `${PORT:-3000}` that in `known`, else the default."""
    text = str(value).strip().partition("/")[0]
    if "$" in text:
        text = references.resolved(text, REFERENCE, known or {}) or ""
    return whole(text, 1, 65535)


def account(value: Any) -> str | None:
    """A user or group by name or number."""
    return str(value) if re.fullmatch(ACCOUNT, str(value), re.ASCII) and len(str(value)) <= 256 else None


def umask(value: Any) -> str | None:
    """Three octal digits."""
    return str(value) if re.fullmatch(r"0?[0-7]{3}", str(value), re.ASCII) else None


def memory(value: Any) -> str | None:
    """`300M` and the like, from a mebibyte on."""
    found = _SIZE.fullmatch(str(value).strip())
    size = float(found[1]) * 1024 ** " kmgt".index(found[2].lower() or " ") if found and len(found[0]) < 16 else 0
    if not found or size < 1024**2:
        return None
    return f"{found[1]}{found[2].upper()}B" if found[2] else found[1]


def log_size(value: Any) -> int | None:
    """Bytes of `10m`, `50MB` or a plain number, where services.yaml takes it for the size of a log file."""
    found = _SIZE.fullmatch(str(value).strip()[:20])
    if not found:
        return None
    count = int(float(found[1]) * 1024 ** " kmgt".index(found[2].lower() or " "))
    return count if SMALLEST_LOG <= count <= LARGEST_LOG else None


def signal_name(value: Any) -> str | None:
    """The name of a signal given by name or number."""
    number = signals.number_of(str(value).strip())
    return None if number is None else signals.name_of(number) or None


def is_true(value: Any) -> bool:
    """Whether the file says yes, in any of the words that are used for it."""
    return str(value).strip().lower() in ("true", "yes", "on", "1")


def filled(text: str) -> Filled:
    """A text with compose's `${VAR}` in the syntax of services.yaml: what is not set is empty, not a mistake."""
    return Filled(_references(text))


def maybe_filled(text: str) -> str:
    """The same, where there is anything to fill in."""
    return filled(text) if "$" in text else text


def _references(text: str) -> str:
    parts, at = [], 0
    for match in REFERENCE.finditer(text):
        parts += [_characters(text[at : match.start()]), reference(match).replace("\0", "$")]
        at = match.end()
    return "".join((*parts, _characters(text[at:])))


def _characters(text: str) -> str:
    return placeholders.literally(text.replace("$", "$$"))


def reference(match: re.Match[str]) -> str:
    """A reference as services.yaml writes it; what is none begins with a NUL."""
    if match[0] == "$$":
        return "\0$"
    name, sign, word = match["plain"] or match["name"], match["sign"] or "", match["word"] or ""
    if word and not sign:
        return "\0" + match[0]  # `${a.b}` is of no form that is filled in
    if sign.endswith("?"):
        return f"${{{name}{sign}{_characters(word) or 'it has to be set'}}}"
    if sign in ("=", ":="):
        sign = sign.replace("=", "-")
    return f"${{{name}{sign or ':-'}{_references(word)}}}"


def demanded(text: str) -> Iterator[str]:
    """The variables that `${VAR:?message}` in a text demands."""
    for match in REFERENCE.finditer(text):
        if (match["sign"] or "").endswith("?"):
            yield match["name"]


def pairs(value: Any) -> Iterator[tuple[str, str | None]]:
    """Variables of a mapping or of a list of NAME=VALUE; None where the value comes from outside."""
    if isinstance(value, dict):
        for name, item in value.items():
            if item is None or isinstance(item, str | int | float):
                yield str(name), _plain(item)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, str):
                name, equals, text = item.partition("=")
                yield name.strip(), text if equals else None


def _plain(value: str | int | float | None) -> str | None:
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


def set_variables(
    draft: Draft, variables: Mapping[str, str | Filled | None], known: Mapping[str, str] | None = None
) -> None:
    """Give a service its environment; `PORT` becomes the port of its pool."""
    for name, value in variables.items():
        number = port(value, known) if name == "PORT" else None
        if number:
            draft.ports.insert(0, number)
            draft.gets_port = True
            draft.fields["port_env"] = "PORT"
            draft.notes.append(f"`PORT={number}` is left to portsup: the program gets the port of the pool in it")
        elif not re.fullmatch(VARIABLE, name, re.ASCII) or len(name) > 200:
            is_file = value is None and re.search(r"(?:^|/)[^/]*\.?env[^/]*$", name)
            remedy = f"for a file write `env_file: {name}`" if is_file else "rename it: letters, digits and `_`"
            draft.leave(f"variable `{name}`", "that is no name of a variable", remedy)
        elif name.startswith("PORTSUP_"):
            draft.of_portsup[name] = value
            draft.leave(f"variable `{name}`", "such names are portsup's own", "rename it")
        else:
            draft.environment[name] = value


def codes(draft: Draft, given: Iterable[str], what: str) -> None:
    """Set `success_exit_codes` to those of the source; 0 always is one here."""
    found = [whole(each, 0, 255) for each in given]
    known = sorted({code for code in found if code is not None} - {0})
    if known:
        draft.fields["success_exit_codes"] = known
    if None in found:
        draft.leave(what, "services.yaml takes whole numbers from 0 to 255", "set `success_exit_codes`")
    elif 0 not in found:
        draft.leave(f"{what} without 0", "0 always means success", "see whether that will do")
