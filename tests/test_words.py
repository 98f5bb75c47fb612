"""Facts before words: sentences about services are made in words/, and nobody takes facts out of them again."""

import ast
import re
from pathlib import Path

from tests.support.source import PACKAGE, nodes, source_files

# Where what happens to a service is decided and told: no sentence is made here.
OF_FACTS = ("core", "daemon/console")
# The words of errors about a configuration, and of an assertion about what cannot be.
MESSAGES = {"core/facts.py", "core/instance.py", "core/service/product.py", "daemon/console/foreground.py",
            "daemon/console/service_manager.py"}  # fmt: skip
OTHERS = ("config", "convert", "export", "words")  # no service runs there
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


def files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (PACKAGE / folder).rglob("*.py"))


def texts(path: Path) -> list[ast.Constant]:
    """Every text in a file but docstrings, annotations and what is said where it fails."""
    unseen: set[ast.AST] = set()
    for node in nodes(path):
        match node:
            case ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                unseen.update(ast.walk(node.body[0]) if ast.get_docstring(node) is not None else ())
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
                    unseen.update(ast.walk(node.returns))
            case ast.Raise() | ast.Assert():
                unseen.update(ast.walk(node))
            case ast.AnnAssign(annotation=annotation) | ast.arg(annotation=ast.expr() as annotation):
                unseen.update(ast.walk(annotation))
    return [
        node
        for node in nodes(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in unseen
    ]


def test_no_sentence_is_made_where_facts_are_decided_and_told() -> None:
    made = [
        f"{name}:{text.lineno}: {text.value!r}"
        for path in files(*OF_FACTS)
        if (name := path.relative_to(PACKAGE).as_posix()) not in MESSAGES and not name.startswith("core/journal/")
        for text in texts(path)
        if SENTENCE.search(str(text.value))
    ]
    assert made == []


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
