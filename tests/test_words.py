"""Facts before words: sentences about services are made in words/, and nobody takes facts out of them again."""

import ast
import functools
import re
from pathlib import Path

import pytest

from tests.support.source import PACKAGE, nodes, source_files

# Where no service runs, or what is said is not about one: folders and files, each with the reason.
ELSEWHERE = {
    "words/": "the only place",
    "config/": "mistakes in a configuration",
    "convert/": "what a file of another program says that services.yaml cannot",
    "export/": "what another program cannot do, and comments in its files",
    "files/": "what the system refuses of a file",
    "system/": "what the system cannot do",
    "logs/": "what is wrong with a search, or a file",
    "control/": "what is wrong with a request, or a connection",
    "web/": "what a browser asks wrongly",
    "tui/": "titles, keys and help of the screens",
    "mcp/": "what an agent reads about tools",
    "ports/folders.py": "the file of the numbers of folders",
    "ports/library.py": "what a program asks wrongly of the library",
    "ports/lockfile.py": "a file system without locks",
    "ports/runtime.py": "the runtime directory",
    "process/filters.py": "what the system refuses of a filter",
    "process/image.py": "the names of C functions",
    "process/view.py": "what the machine lacks",
    "cli/bug_report.py": "a mistake of ours",
    "cli/complaint.py": "a mistake of ours",
    "cli/javascript.py": "what is wrong with a file of pm2",
    "cli/main.py": "what the machine lacks",
    "cli/parser.py": "help",
    "cli/commands/__init__.py": "help",
    "cli/commands/completion.py": "what a shell reads",
    "cli/commands/config.py": "mistakes in a configuration",
    "cli/commands/env.py": "what a shell reads",
    "cli/commands/export.py": "files that are written",
    "cli/commands/init.py": "files that are read and written",
    "cli/commands/logs.py": "options that do not go together",
    "cli/commands/man.py": "help",
    "cli/commands/mcp.py": "the files of other clients",
    "cli/commands/metrics.py": "what a number means, for Prometheus",
    "cli/commands/schema.py": "help",
    "cli/commands/web.py": "what the page needs to be served",
    "cli/commands/unit.py": "comments in a unit",
    "api/drawing.py": "markup",
    "api/gantt.py": "markup",
    "api/log_search.py": "what is wrong with a search",
    "api/token.py": "the file of the token",
    "names/answers.py": "markup",
    "daemon/automatic/file_watcher.py": "how a library says that the system has none left",
    "errors.py": "what the system has none left of",
    "dataclass.py": "mistakes of a programmer",
    "core/journal/": "what an event means, for the reference",
    "core/facts.py": "mistakes of a programmer",
    "core/order.py": "dependencies of a configuration that go in a circle",
    "core/instance.py": "pools of a configuration that overlap",
    "core/service/product.py": "states that cannot be",
}
OTHERS = ("config", "convert", "export", "words")  # nobody reads facts out of words there
# Calls whose texts are no sentences about a service: mistakes of ours or of a command line, missing packages, help.
NOT_OF_SERVICES = {"AssertionError", "AttributeError", "call_exception_handler", "UsageError", "Missing",
                   "ArgumentTypeError", "add_argument", "add_parser"}  # fmt: skip
SENTENCE = re.compile(r"[a-z`][,:;]? [a-z`]|^[a-z]+ $|^ [a-z]{2}")
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
    unseen: set[ast.AST] = set()
    for node in nodes(path):
        match node:
            case ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                unseen.update(ast.walk(node.body[0]) if ast.get_docstring(node) is not None else ())
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
                    unseen.update(ast.walk(node.returns))
            case ast.Assert():
                unseen.update(ast.walk(node))
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in NOT_OF_SERVICES:
                unseen.update(ast.walk(node))
            case ast.Assign(targets=[ast.Name(id="EXAMPLES")]):
                unseen.update(ast.walk(node.value))
            case ast.AnnAssign(annotation=annotation) | ast.arg(annotation=ast.expr() as annotation):
                unseen.update(ast.walk(annotation))
    return [
        node
        for node in nodes(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in unseen
    ]


def test_sentences_about_services_are_made_in_one_folder() -> None:
    made = [
        f"{name}:{text.lineno}: {text.value!r}"
        for path in source_files("supervisor")
        if not (name := path.relative_to(PACKAGE).as_posix()).startswith(tuple(ELSEWHERE))
        for text in texts(path)
        if SENTENCE.search(str(text.value))
    ]
    assert made == []


@pytest.mark.parametrize("place", ELSEWHERE)
def test_no_place_is_excused_that_needs_no_excuse(place: str) -> None:
    there = [path for path in source_files("supervisor") if path.relative_to(PACKAGE).as_posix().startswith(place)]
    assert any(SENTENCE.search(str(text.value)) for path in there for text in texts(path))


def test_nobody_reads_facts_out_of_the_words_of_a_reason() -> None:
    read = []
    for path in source_files("supervisor"):
        name = path.relative_to(PACKAGE).as_posix()
        if name.startswith(OTHERS):
            continue
        for node in nodes(path):
            match node:
                case ast.Call(func=ast.Attribute(value=subject, attr=method)) if method in READERS and is_reason(
                    subject
                ):
                    read.append(f"{name}:{node.lineno}")
                case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=_), args=arguments):
                    if any(is_reason(argument) for argument in arguments):
                        read.append(f"{name}:{node.lineno}")
                case ast.Compare(left=left, comparators=others):
                    sides = [left, *others]
                    known = any(isinstance(side, ast.Constant) and side.value not in ("", None) for side in sides)
                    if known and any(map(is_reason, sides)):
                        read.append(f"{name}:{node.lineno}")
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
    return False
