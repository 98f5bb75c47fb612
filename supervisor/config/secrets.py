"""Which values are secrets, and how to keep them out of what is shown."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from supervisor.config.secret_names import HIDDEN, WORDS, is_secret_name, redact
from supervisor.dataclass import dataclass

SHORTEST = 8  # characters of what is looked for in output: shorter ones are words, ports and numbers of any program

# `sort_key`, `"partitionKey"`: the name of something, unless it looks like a key.
_KEYS_OF_DATA = re.compile(
    "SORT|PARTITION|ROUTING|CACHE|FOREIGN|GROUP|ORDER|ROW|SHARD|RANGE|OBJECT|LOOKUP|TRANSLATION|IDEMPOTENCY|COLUMN|INDEX"
)
_HARMLESS_VALUES = frozenset(
    (
        *("true", "false", "none", "null", "auto", "default", "enabled", "disabled", "required", "optional"),
        *("basic", "bearer", "digest", "token"),
    )
)
_URL_PASSWORD = re.compile(r"(?<=://)([^/@:\s]{0,200}:)([^/@\s]{1,500})(?=@)")
# Tokens that are known by how they begin, of GitHub, GitLab, Slack, Hugging Face, Stripe, OpenAI, Groq, Google, npm and
# Discord; a JSON Web Token; and one in place of the user of a URL.
_TOKEN = re.compile(
    r"(?<![\w-])(?:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|hf_|[rs]k_live_)(?=[\w-]*\d)[\w-]{16,500}"
    r"|(?<![\w-])sk-(?:[a-z0-9]{2,8}-){0,2}(?=[\w-]*\d)\w{20,500}[\w-]{0,500}"
    r"|(?<=://)(?=[\w-]*\d)[\w-]{20,500}(?=@)"
    r"|(?<![\w-])(?:gsk_|npm_|AIza)(?=[\w-]*\d)[\w-]{30,500}|(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"
    r"|(?<=hooks\.slack\.com/services/)[\w/]{20,200}|(?<=/api/webhooks/)\d{10,25}/[\w-]{20,200}",
    re.ASCII,
)
# A member of JSON, what stands behind `Bearer`, a password in SQL, a header of curl.
_TOLD = (
    re.compile(r"\"(?P<name>[\w.-]{1,60})\"\s*:\s*\"(?P<value>(?:\\.|[^\"\\]){1,4000})\""),
    re.compile(r"\b(?i:bearer|apikey)\s+(?P<value>(?=\S{0,200}\d)[\w+/=.~-]{12,2000})", re.ASCII),
    re.compile(r"\b(?i:basic)\s+(?P<basic>[A-Za-z0-9+/]{4,2000}={0,2})(?![\w+/=.~-])", re.ASCII),
    re.compile(r"(?i:\bpassword|\bidentified by)\s+'(?P<value>[^']{1,200})'"),
    re.compile(r"^(?P<name>(?i:authorization|cookie)|[A-Za-z]{1,20}-[A-Za-z-]{1,40}):\s+(?P<value>\S.{0,2000})$"),
)
_WEAK = frozenset(("key", "keys", "auth", "pass"))  # names of JSON and queries for much that is no secret
_ASKING = frozenset(("curl", "wget", "http", "https", "xh"))
_USER = re.compile(r"([^\s:]+:)(\S+)")
_SCHEME = re.compile(r"(?:basic|bearer|digest|token|apikey)\s+(\S+)", re.IGNORECASE)
_KEY = re.compile(r"(?=\S*\d)\S{16,}")  # what a person does not call a word
_MOST_PARTS = 50
_HEADING = re.compile(r"-----[A-Z ]{1,60}-----")
# `--token=X`, `PASSWORD=X` of a shell, `?key=X` of a URL; a reference such as $TOKEN or {port} is no secret.
_ASSIGNED = re.compile(r"((?:^|[?&;\s])-{0,2}([A-Za-z][\w.-]{0,60})=)([^\s&;'\"${][^\s&;'\"]{0,500})")
_NO_SECRET = re.compile(r"^[-${]|\.(?:pem|key|crt|cer|p12|json|txt)$")


def secret_values(name: str, value: str) -> Iterator[str]:
    """The parts of a variable that are secret: its value, each of several keys in it, or the password inside a URL.

    Which of them are looked for in output, `hunted` tells.
    """
    if is_secret_name(name):
        yield from (part for part in (value, *_parts(value)) if _is_secret(part))
    yield from (found for _, found in _URL_PASSWORD.findall(value) if _is_secret(found))
    yield from _TOKEN.findall(value)
    yield from (value[start:end] for start, end in _told(value))
    if "=" in value:
        yield from (found for _, each, found in _ASSIGNED.findall(value) if _is_told(each, found))


def _told(text: str) -> Iterator[tuple[int, int]]:
    """Where the secrets are that a text tells by what stands before them."""
    for pattern in _TOLD:
        for found in pattern.finditer(text):
            parts = found.groupdict()
            if "basic" in parts:
                if _is_user_and_password(parts["basic"]):
                    yield found.span("basic")
            elif (name := parts.get("name")) is None or _is_told(header_variable(name), parts["value"]):
                yield found.span("value")


def _is_user_and_password(text: str) -> bool:
    """Whether this is what stands behind `Basic`, which is `USER:PASSWORD` in base64 (RFC 7617), and no word."""
    from binascii import Error, a2b_base64  # few values have it

    try:
        found = a2b_base64(text + "=" * (-len(text) % 4)).decode()
    except (Error, UnicodeDecodeError):
        return False
    return ":" in found and found.isprintable()


def _is_told(name: str, value: str) -> bool:
    """Whether the value of a member, of a part of a query or of a header is a secret."""
    if not is_secret_name(name) or not _is_secret(value) or _NO_SECRET.search(value):
        return False
    return not (name.lower() in _WEAK or _is_of_data(name)) or bool(_KEY.fullmatch(value))


def _is_of_data(name: str) -> bool:
    words = [word.upper() for word in WORDS.findall(name)]
    return len(words) > 1 and words[-1] in ("KEY", "KEYS") and bool(_KEYS_OF_DATA.fullmatch(words[-2]))


def _parts(value: str) -> Sequence[str]:
    """The lines of a PEM file, the keys of a list, what stands behind `Bearer`; of words in a row, none."""
    if "\n" in value.strip():
        return [line for line in value.splitlines() if not _HEADING.fullmatch(line)]
    if scheme := _SCHEME.fullmatch(value.strip()):
        return [scheme[1]]
    if value != value.strip():
        return [value.strip(), *_parts(value.strip())]
    parts = re.split(r"\s*[,;]\s*", value, maxsplit=_MOST_PARTS)
    if not any(" " in part for part in parts):
        return parts
    keys = value.split()
    return keys if all(_KEY.fullmatch(key) for key in keys) else []


def header_variable(name: str) -> str:
    """The name of a header as that of a variable that is as secret: cookies are."""
    return "SECRET" if name.lower() == "cookie" else name


def secrets_among(words: Sequence[str]) -> Iterator[str]:
    """The parts of a command line or URL that are secret: `--token=X`, `--token X`, `PASSWORD=X`, `?key=X`."""
    is_asking = bool(words) and words[0].rpartition("/")[2] in _ASKING
    for word, following in zip(words, (*words[1:], ""), strict=False):
        assigned = [(name, value) for _, name, value in _ASSIGNED.findall(word)]
        if not assigned and word.startswith("-"):
            assigned = [(word, following)]
        for name, value in assigned:
            if _is_assigned(name, value):
                yield from secret_values(name, value)
        yield from (found for _, found in _URL_PASSWORD.findall(word) if _is_secret(found))
        yield from _TOKEN.findall(word)
        yield from (word[start:end] for start, end in _told(word))
        if word in ("-u", "--user") and is_asking and (user := _USER.fullmatch(following)):
            yield user[2]


@dataclass(frozen=True, slots=True)
class Names:
    """What no secret may mask: `words` in lower case, each of them a name, and `text`, whose parts are names too."""

    words: frozenset[str] = frozenset()
    text: str = ""


NONE = Names()


def hunted(values: Iterable[str], names: Names = NONE) -> frozenset[str]:
    """Those secrets that are looked for in whatever is shown, see `why_not_hunted`."""
    return frozenset(value for value in values if not why_not_hunted(value, names))


def why_not_hunted(value: str, names: Names = NONE) -> str:
    """Why a secret is masked only where it stands, in words; empty for one that is looked for in output.

    To mask a word that also names a service, a host, a folder or a variable would mask that name.
    """
    if len(value) < SHORTEST:
        return f"it is shorter than {SHORTEST} characters"
    return "it is also a name" if value.lower() in names.words or value in names.text else ""


def words_in(name: str) -> Iterator[str]:
    """A name in lower case as a whole, and each word of it, as far as they are long enough to be looked for."""
    if len(name) >= SHORTEST:
        yield name.lower()
        yield from (word.lower() for word in WORDS.findall(name) if len(word) >= SHORTEST)


def names_in(text: str) -> Iterator[str]:
    """The folders and file of a path; the user, host and path of a URL; not what looks like a key among them."""
    if "/" in text:
        for part in re.split(r"[/@:\s?#'\"]", re.sub(r":[^/@]*@", "@", masked(text))):
            if not _KEY.fullmatch(part):
                yield from words_in(part)


def masked(text: str) -> str:
    """`text` with `***` for the password of each URL in it, and for each secret that is known by how it begins."""
    parts, at = [], 0
    for start, end in sorted(_told(text)):
        if start >= at:
            parts += [text[at:start], HIDDEN]
            at = end
    text = "".join([*parts, text[at:]])
    shown = _URL_PASSWORD.sub(lambda found: found[1] + HIDDEN, text) if "://" in text else text
    return _TOKEN.sub(HIDDEN, shown)


def masked_words(words: Sequence[str]) -> list[str]:
    """A command line with `***` for each secret in it, where it stands."""
    shown, option, before = [], "", ""
    is_asking = bool(words) and words[0].rpartition("/")[2] in _ASKING
    for word in words:
        if is_asking and before in ("-u", "--user") and (user := _USER.fullmatch(word)):
            shown.append(f"{user[1]}{HIDDEN}")
            before = word
            continue
        before = word
        has_assigned = bool(_ASSIGNED.search(word))
        hides = bool(option) and _is_assigned(option, word) and _is_secret(word)
        shown.append(HIDDEN if hides else masked(_ASSIGNED.sub(_masked_assignment, word)))
        option = word if word.startswith("-") and not has_assigned and is_secret_name(word) else ""
    return shown


def _is_assigned(name: str, value: str) -> bool:
    """Whether what an option or a part of a URL with the name of a secret has may be one."""
    return not _NO_SECRET.search(value) and (not _is_of_data(name) or bool(_KEY.fullmatch(value)))


def _masked_assignment(found: re.Match[str]) -> str:
    _, name, value = found.groups()
    return found[1] + HIDDEN if is_secret_name(name) and _is_assigned(name, value) and _is_secret(value) else found[0]


def redact_environment(
    environment: Mapping[str, str], secrets: Collection[str], known: Collection[str] = ()
) -> dict[str, str]:
    """The environment as it may be shown: secret variables hidden (by name, or `known`), secret values anywhere."""
    return {
        name: HIDDEN if value and (name in known or is_secret_name(name)) else _shown(value, secrets)
        for name, value in environment.items()
    }


def _shown(value: str, secrets: Collection[str]) -> str:
    def hide(found: re.Match[str]) -> str:
        return found[1] + HIDDEN if _is_told(found[2], found[3]) else found[0]

    return redact(_ASSIGNED.sub(hide, masked(value)), secrets)


def _is_secret(value: str) -> bool:
    return bool(value.strip()) and value.lower() not in _HARMLESS_VALUES


def in_environment(environment: Mapping[str, str]) -> Names:
    """Those that a process has: its variables, and the folders and addresses in them."""
    found = {word for name in environment for word in words_in(name)}
    own = [environment.get(name, "") for name in ("PORTSUP_SERVICE", "PORTSUP_STACK", "USER", "LOGNAME")]
    found.update(word for name in own for word in words_in(name))
    for name, value in environment.items():
        if not is_secret_name(name):
            found.update(names_in(value[:10_000]))
    return Names(frozenset(found), "\n".join(own))


def hidden(environment: Mapping[str, str], secret: Collection[str]) -> dict[str, str]:
    """The variables that hold a secret, as they may be shown; `secret` has the names of those that must not be."""
    secrets = {part for name, value in environment.items() for part in secret_values(name, value)}
    secrets |= {environment[name] for name in secret if environment.get(name)}
    shown = redact_environment(environment, hunted(secrets, in_environment(environment)), secret)
    return {name: value for name, value in shown.items() if value != environment[name]}
