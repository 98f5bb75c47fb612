"""What a Dockerfile says about the program in its image: CMD, ENTRYPOINT, WORKDIR, EXPOSE, ENV and their kind."""

import json
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from supervisor.convert import references
from supervisor.convert.values import REFERENCE
from supervisor.dataclass import dataclass, field, replace

Command = tuple[str, ...]
_DIRECTIVE = re.compile(r"#\s*escape\s*=\s*(\S)", re.IGNORECASE)
_HEREDOC = re.compile(r"<<-?\s*[\"']?(\w+)[\"']?")
_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\\$")
_DOLLAR = "\ue010"  # stands for one that begins no reference


@dataclass(slots=True)
class Image:
    """The stage of a Dockerfile that becomes the image; paths are those in it."""

    base: str = ""
    command: Command = ()
    entrypoint: Command = ()
    entrypoint_is_shell: bool = False  # then `command` is not added to it
    working_dir: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    ports: list[int] = field(default_factory=list)
    copied: list[tuple[str, str]] = field(default_factory=list)  # from the context: where it was, and where it is
    built: list[str] = field(default_factory=list)  # what comes from another stage or image
    user: str = ""
    stop_signal: str = ""
    health: dict[str, object] = field(default_factory=dict)  # as compose writes a `healthcheck`

    def source(self) -> str:
        """The directory in the context whose parts are copied into the WORKDIR: `COPY back/app /srv/app` for `/srv`."""
        found = set()
        for outside, inside in self.copied:
            part = inside.removeprefix(self.working_dir.rstrip("/") + "/")
            if part != inside and (outside == part or outside.endswith(f"/{part}")):
                found.add(outside[: -len(part)].rstrip("/"))
        return found.pop() if len(found) == 1 else ""

    @property
    def runs(self) -> list[str]:
        """The words of its command line; none where the Dockerfile names no program."""
        if self.entrypoint_is_shell:
            return list(self.entrypoint)
        return [*self.entrypoint, *self.command]


def parse(text: str, target: str = "", arguments: Mapping[str, str] | None = None) -> Image | None:
    """The image of the stage `target`, or of the last one; None where there is no such stage."""
    stages: dict[str, Image] = {}
    known: dict[str, str] = {}
    given = dict(arguments or {})
    image: Image | None = None
    names: list[str] = []
    for word, rest in _instructions(text):
        if word == "ARG":
            for name, value in _assigned(rest, known):
                known[name] = given.get(name, value or known.get(name, ""))
        elif word == "FROM":
            base, name = _from(rest, known)
            source = stages.get(base.lower())
            image = _inherited(source) if source else Image(base=base)
            names = [each for each in (name.lower(), str(len(set(map(id, stages.values()))))) if each]
            stages |= dict.fromkeys(names, image)
        elif image is not None:
            _apply(image, word, rest, {**known, **image.environment}, stages)
    if target:
        return stages.get(target.lower())
    return image


def _inherited(source: Image) -> Image:
    return replace(
        source, environment=dict(source.environment), ports=list(source.ports), copied=list(source.copied),
        built=list(source.built),
    )  # fmt: skip


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Each instruction in capitals with what follows it, continued lines and texts of `<<EOF` taken together."""
    directive = _DIRECTIVE.match(text)
    escape = directive[1] if directive else "\\"
    lines = iter(text.splitlines())
    for line in lines:
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        while line.endswith(escape):
            following = next(lines, None)
            if following is None:
                break
            if not following.lstrip().startswith("#"):
                line = line[: -len(escape)].rstrip() + " " + following.strip()
        word, _, rest = line.partition(" ")
        yield word.upper(), rest.strip()
        if word.upper() in ("RUN", "COPY", "ADD") and (ends := _HEREDOC.findall(rest)):
            while ends and (following := next(lines, None)) is not None:
                if following.strip() == ends[0]:
                    del ends[0]


def _apply(image: Image, word: str, rest: str, known: Mapping[str, str], stages: Mapping[str, Image]) -> None:
    match word:
        case "CMD":
            image.command, _ = _command(rest)
        case "ENTRYPOINT":
            image.entrypoint, image.entrypoint_is_shell = _command(rest)
            image.command = ()
        case "WORKDIR":
            image.working_dir = posixpath.normpath(posixpath.join(image.working_dir, _filled(_unquoted(rest), known)))
        case "ENV":
            # The image's own PATH is not known here; any other variable without a value is empty.
            known = {"PATH": "$PATH", **known}
            text = _QUOTED.sub(_marked, rest)
            given = _assigned(_emptied(text, known), known)
            image.environment |= {name: (value or "").replace(_DOLLAR, "$") for name, value in given}
        case "EXPOSE":
            for each in _filled(rest, known).split():
                number, _, protocol = each.partition("/")
                if number.isdecimal() and 0 < int(number[:6]) < 65536 and protocol.lower() in ("", "tcp"):
                    image.ports.append(int(number))
        case "COPY" | "ADD":
            _copy(image, rest, known, stages)
        case "USER":
            image.user = _filled(rest, known)
        case "STOPSIGNAL":
            image.stop_signal = _filled(rest, known)
        case "HEALTHCHECK":
            image.health = _health(rest)


def _command(rest: str) -> tuple[Command, bool]:
    if rest.startswith("["):
        try:
            found = json.loads(rest)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, list) and all(isinstance(each, str) for each in found):
            return tuple(found), False
    return (("sh", "-c", rest) if rest else ()), True


def _from(rest: str, known: Mapping[str, str]) -> tuple[str, str]:
    words = [word for word in _filled(rest, known).split() if not word.startswith("--")]
    name = words[2] if len(words) > 2 and words[1].upper() == "AS" else ""
    return (words[0] if words else ""), name


def _assigned(rest: str, known: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """The variables of `A=1 B="two words"`, or of the older `A 1`."""
    try:
        words = shlex.split(rest)
    except ValueError:
        words = rest.split()
    if words and "=" not in words[0]:
        yield words[0], _filled(rest[len(words[0]) :].strip(), known) if len(words) > 1 else None
        return
    for word in words:
        name, equals, value = word.partition("=")
        yield name, _filled(value, known) if equals else None


def _filled(text: str, known: Mapping[str, str]) -> str:
    found = references.resolved(text, REFERENCE, known)
    return text if found is None else found


def _marked(found: re.Match[str]) -> str:
    """What is quoted, without the signs `$` that its quotes make plain ones."""
    return found[0].replace("$" if found[0].startswith("'") else "\\$", _DOLLAR)


def _emptied(text: str, known: Mapping[str, str]) -> str:
    """`text` without the references that have no value."""

    def kept(match: re.Match[str]) -> str:
        return "" if references.resolved(match[0], REFERENCE, known) is None else match[0]

    return REFERENCE.sub(kept, text)


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _copy(image: Image, rest: str, known: Mapping[str, str], stages: Mapping[str, Image]) -> None:
    options = re.match(r"(?:--\S+\s+)*", rest)
    given = options[0] if options else ""
    text = _filled(rest[len(given) :], known)
    told, is_text = _command(text)
    words = text.split() if is_text else list(told)
    if len(words) < 2 or "<<" in text:
        return
    *sources, target = words
    place = posixpath.join(image.working_dir, target)
    for source in sources:
        inside = posixpath.join(place, posixpath.basename(source))
        if "--from=" in given or "://" in source:
            found = re.search(r"--from=(\S+)", given)
            origin = stages.get(found[1].lower()) if found else None
            # A folder is copied with what is in it, a file into a folder that ends with `/`; which it is, is not known.
            is_into = target.endswith("/") and not source.endswith("/")
            for own in (place, inside) if is_into else (place,):
                image.built.append(posixpath.normpath(own))
                if origin:
                    image.copied += [(each, posixpath.normpath(own)) for each in _in_context(origin, source)]
            continue
        source = posixpath.normpath(source.lstrip("/") or ".")
        # A folder is copied with what is in it, a file into a folder that ends with `/` or is copied with others.
        is_into = source != "." and (target.endswith("/") or target in (".", "./") or len(sources) > 1)
        is_file = "." in posixpath.basename(source)[1:]
        if not is_into or not is_file:
            image.copied.append((source, posixpath.normpath(place)))
        if is_into:
            image.copied.append((source, posixpath.normpath(inside)))


def _in_context(origin: Image, path: str) -> Iterator[str]:
    """Where a path of another stage is in the context, if it was copied from there, or would be made beside that."""
    path = posixpath.normpath(posixpath.join("/", path))
    for outside, inside in reversed(origin.copied):
        if path == inside or path.startswith(inside.rstrip("/") + "/"):
            yield posixpath.normpath(posixpath.join(outside, path[len(inside) :].lstrip("/")))
            return


def _health(rest: str) -> dict[str, object]:
    if rest.strip().upper() == "NONE":
        return {"disable": "true"}
    found: dict[str, object] = {}
    while option := re.match(r"--([a-z-]+)=(\S+)\s*", rest):
        found[option[1].replace("-", "_")] = option[2]
        rest = rest[option.end() :]
    if not re.match(r"CMD\b", rest, re.IGNORECASE):
        return {}
    words, is_shell = _command(rest[3:].strip())
    return {**found, "test": ["CMD-SHELL", words[2]] if is_shell and words else ["CMD", *words]}


def of_base(base: str, command: Sequence[str]) -> tuple[str, ...]:
    """What the entrypoint of an image of a language puts before a command that is a file for it, or options."""
    name = base.partition("@")[0].rpartition("/")[2].partition(":")[0]
    if "distroless/" in base:
        found = re.match(r"nodejs|python|java(?!-base)", name)
        return {"nodejs": ("node",), "python": ("python3",), "java": ("java", "-jar")}[found[0]] if found else ()
    first = command[0] if command else ""
    if name == "node" and (first.startswith("-") or first.endswith((".js", ".mjs", ".cjs"))):
        return ("node",)
    return ("php",) if name == "php" and first.startswith("-") else ()
