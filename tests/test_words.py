"""Facts before words: sentences about services are made in words/, and nobody takes facts out of them again."""

import ast
import functools
import re
from pathlib import Path

import pytest

from tests.support.source import PACKAGE, below, docstrings, nodes, source_files

# What sentences in other places are about, none of them of a service: folders and files.
ABOUT: dict[str, tuple[str, ...]] = {
    "a configuration, or the file of another program": (
        "config/", "convert/", "export/", "cli/javascript.py", "cli/commands/export.py",
        "cli/commands/init.py", "cli/foreign_files.py", "cli/commands/mcp.py", "cli/commands/unit.py",
    ),
    "what a system lacks or refuses, and files and directories of portsup itself": (
        "errors.py", "files/", "system/", "cli/complaint.py",
    ),
    "what a program, a browser or an agent asks": ("control/", "mcp/", "web/"),
    "titles, keys and help": (
        "tui/", "cli/parser.py", "cli/commands/__init__.py", "cli/commands/man.py", "mcp/prompts.py",
        "mcp/resources.py", "mcp/schema.py",
    ),
    "a mistake of a programmer": ("dataclass.py",),
}  # fmt: skip
# Where a sentence may name a service all the same: it is about the file that describes it, or says what a key does.
NAMING = ("a configuration, or the file of another program", "titles, keys and help")
ELSEWHERE = tuple(place for places in ABOUT.values() for place in places)
OTHERS = ("config", "convert", "export", "words")  # nobody reads facts out of words there
# Calls whose texts are no sentences about a service: mistakes of ours or of a command line, missing packages, help.
NOT_OF_SERVICES = {"AssertionError", "AttributeError", "call_exception_handler", "UsageError", "Missing",
                   "ArgumentTypeError", "add_argument", "add_argument_group", "add_parser", "TypeError"}  # fmt: skip
# Command lines, the names of events, the words of a library, a program.
TABLES = {"EXAMPLES", "event", "OUT_OF_WATCHERS", "_APART"}
SENTENCE = re.compile(r"[a-z`][,:;]? [a-z`]|^[a-z]+ $|^ [a-z]{2}", re.IGNORECASE)
# What a browser, a shell, a server or a library reads; an option with what it takes.
MARKUP = re.compile(
    r"<[^>]*>?|\w+(?:[.:#]\w+)*\{[^}]*\}|^text/\w+; charset=|^[a-z -]+ 2>/dev/null$"
    r"| HTTP/1\.1$|^flowchart LR$|^-f FILE$"
)
SERVICE = re.compile(r"\b(?:services?|replicas?)\b")
REASONS = {
    "reason",
    "why",
    "trouble",
    "roll_trouble",
    "hook_trouble",
    "words",
    "holder",
    "survivor",
    "intruder",
    "cause",
}
READERS = {
    "startswith",
    "endswith",
    "split",
    "partition",
    "rpartition",
    "removeprefix",
    "removesuffix",
    "find",
    "index",
}


@functools.cache
def texts(path: Path) -> list[ast.Constant]:
    """Every text in a file but docstrings, annotations and what is said of a mistake of ours."""
    quiet: list[ast.AST | None] = list(nodes(path, ast.Assert))
    quiet += (node.returns for node in nodes(path, ast.FunctionDef))
    quiet += (node.returns for node in nodes(path, ast.AsyncFunctionDef))
    quiet += (node.annotation for node in nodes(path, ast.AnnAssign))
    quiet += (node.annotation for node in nodes(path, ast.arg))
    for call in nodes(path, ast.Call):
        match call.func:
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in NOT_OF_SERVICES:
                quiet.append(call)
    for assigned in nodes(path, ast.Assign):
        match assigned.targets:
            case [ast.Name(id=name)] if name in TABLES:
                quiet.append(assigned.value)
    for call in nodes(path, ast.Call):
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr="compile")):
                quiet.append(call)
    unseen = docstrings(path).union(below(*filter(None, quiet)))
    return [node for node in nodes(path, ast.Constant) if isinstance(node.value, str | bytes) and node not in unseen]


def text_of(text: ast.Constant) -> str:
    return text.value.decode("latin-1") if isinstance(text.value, bytes) else str(text.value)


def is_sentence(text: ast.Constant) -> bool:
    """Whether a text, or a part of one that is put together, has words that follow each other; titles are no such."""
    plain = MARKUP.sub("", text_of(text))
    return not plain.isupper() and bool(SENTENCE.search(plain))


def is_put_together(node: ast.Call) -> bool:
    """Whether words become a sentence by a call: `" ".join(("has", "failed"))`, `"has_failed".replace("_", " ")`."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str(between)), attr="join"),
            args=[ast.Tuple(elts=words) | ast.List(elts=words)],
        ):
            parts = [word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str)]
            return between.isspace() and len([part for part in parts if part.isalpha()]) > 1
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="replace" | "translate" | "split")) if (
            len(node.args) == 2
        ):
            return True
    return False


def test_sentences_about_services_are_made_in_one_folder() -> None:
    made = [
        f"{name}:{text.lineno}: {text.value!r}"
        for path in source_files("supervisor")
        if not (name := path.relative_to(PACKAGE).as_posix()).startswith(("words/", *ELSEWHERE))
        for text in texts(path)
        if is_sentence(text)
    ]
    assert made == []


@pytest.mark.parametrize(
    "line",
    [
        'X = "has failed"', 'X = f"{name} has failed"', 'X = "Service Failed"', 'X = b"it has failed"',
        'X = " ".join(("has", "failed"))', 'X = "has_failed".replace("_", " ")',
    ],
)  # fmt: skip
def test_a_sentence_is_seen_however_it_is_written(tmp_path: Path, line: str) -> None:
    file = tmp_path / "module.py"
    file.write_text(line)
    assert any(map(is_sentence, texts(file))) or any(map(is_put_together, nodes(file, ast.Call)))


def test_no_sentence_is_put_together_of_words_elsewhere() -> None:
    made = [
        f"{name}:{call.lineno}"
        for path in source_files("supervisor")
        if not (name := path.relative_to(PACKAGE).as_posix()).startswith(("words/", *ABOUT[NAMING[0]]))
        for call in nodes(path, ast.Call)
        if is_put_together(call)
    ]
    assert made == []


@pytest.mark.parametrize("about", [each for each in ABOUT if each not in NAMING])
def test_no_excused_sentence_is_about_a_service(about: str) -> None:
    help_ = ABOUT[NAMING[1]]
    naming = [
        f"{name}:{text.lineno}: {text.value!r}"
        for path in source_files("supervisor")
        if (name := path.relative_to(PACKAGE).as_posix()).startswith(ABOUT[about]) and not name.startswith(help_)
        for text in texts(path)
        if is_sentence(text) and SERVICE.search(re.sub(r"`[^`]*`", "", text_of(text)))
    ]
    assert naming == []


@pytest.mark.parametrize("place", ELSEWHERE)
def test_no_place_is_excused_that_needs_no_excuse(place: str) -> None:
    there = [path for path in source_files("supervisor") if path.relative_to(PACKAGE).as_posix().startswith(place)]
    assert any(is_sentence(text) for path in there for text in texts(path))


def test_nobody_reads_facts_out_of_the_words_of_a_reason() -> None:
    read = []
    for path in source_files("supervisor"):
        name = path.relative_to(PACKAGE).as_posix()
        if name.startswith(OTHERS):
            continue
        for node in (*nodes(path, ast.Call), *nodes(path, ast.Compare)):
            match node:
                case ast.Call(func=ast.Attribute(value=subject, attr=method)) if method in READERS and is_reason(
                    subject
                ):
                    read.append(f"{name}:{node.lineno}")
                case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=_), args=arguments):
                    if any(is_reason(argument) for argument in arguments):
                        read.append(f"{name}:{node.lineno}")
                case ast.Compare(left=left, comparators=others):  # also of `reason.lower()` and `str(reason)`
                    sides = [left, *others]
                    known = any(isinstance(side, ast.Constant) and side.value not in ("", None) for side in sides)
                    if known and any(map(is_reason, sides)):
                        read.append(f"{name}:{node.lineno}")
        for match in nodes(path, ast.Match):
            if is_reason(match.subject) and any(isinstance(each, ast.MatchValue) for each in ast.walk(match)):
                read.append(f"{name}:{match.lineno}")
    assert read == []


def is_reason(node: ast.AST) -> bool:
    """Whether this is a reason, by its name."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in REASONS
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name in REASONS
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_]):
            return name in REASONS
        case ast.BoolOp(values=values):
            return any(map(is_reason, values))
        case ast.Call(func=ast.Attribute(value=inner, attr="lower" | "upper" | "strip" | "casefold" | "title")):
            return is_reason(inner)
        case ast.Call(func=ast.Name(id="str" | "text_of"), args=[inner]):
            return is_reason(inner)
    return False
