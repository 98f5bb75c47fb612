"""One word for one thing: the pages, the help and the messages have none of the words that the glossary replaces."""

import argparse
import ast
import re
from pathlib import Path

import pytest

from supervisor.cli.commands import LINES
from supervisor.cli.parser import full, overview
from tests.support.source import PACKAGE, docstrings, nodes, source_files

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    ROOT / "CHANGELOG.md",
    ROOT / "benchmarks/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
GLOSSARY = ROOT / "docs/reference/glossary.md"


def replaced() -> list[str]:
    """The words in the last column of the glossary's last table."""
    table = GLOSSARY.read_text(encoding="utf-8").partition("## Words that are not used\n")[2]
    cells = [line.strip("|").split("|")[-1] for line in table.splitlines() if line.startswith("| ")]
    return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]


BANNED = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, replaced()))})(?![\w(])", re.IGNORECASE)


def prose(page: Path) -> str:
    """A page without what a program reads or prints: blocks, and what stands in backticks."""
    return re.sub(r"^```.*?^```$|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def messages(path: Path) -> list[ast.Constant]:
    """The texts of a file with more than one word, but docstrings."""
    unseen = docstrings(path)
    texts = (node for node in nodes(path, ast.Constant) if isinstance(node.value, str) and " " in node.value)
    return [text for text in texts if text not in unseen]


def test_the_glossary_names_words_that_are_not_used() -> None:
    assert {"can not", "shall", "folder", "mend", "beside"} <= set(replaced())
    assert BANNED.findall("It can not mend a Folder, or folders; a.folder and workspaceFolder count as code") == [
        "can not",
        "mend",
        "Folder",
        "folders",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_no_word_that_the_glossary_replaces(page: Path) -> None:
    assert BANNED.findall(prose(page)) == []


def test_no_help_has_a_word_that_the_glossary_replaces() -> None:
    (commands,) = (action for action in full()._actions if isinstance(action, argparse._SubParsersAction))
    texts = {"portsup": overview(), **{name: commands.choices[name].format_help() for name in LINES}}
    assert {name: found for name, text in texts.items() if (found := BANNED.findall(text))} == {}


def words_of_page(path: Path) -> list[str]:
    """What a file of the page shows: texts of more than one word or with a capital letter, and those between tags."""
    text = re.sub(r"^\s*//.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    texts = [a or b for a, b in re.findall(r'"([^"\n]*)"|>([^<>{}`$]+)<', text)]
    return [text for each in texts if " " in (text := each.strip()) or text[:1].isupper()]


def test_what_the_page_shows_is_found() -> None:
    shown = {text for path in (PACKAGE / "web/pages").glob("*.*") for text in words_of_page(path)}
    assert {"Nothing runs, and no directory keeps a number.", "Directory", "restart it"} <= shown


def test_no_text_of_the_page_has_a_word_that_the_glossary_replaces() -> None:
    files = [*(PACKAGE / "web/pages").glob("*.js"), *(PACKAGE / "web/pages").glob("*.html")]
    assert [f"{path.name}: {text}" for path in files for text in words_of_page(path) if BANNED.search(text)] == []


def test_no_message_has_a_word_that_the_glossary_replaces() -> None:
    said = [
        f"{path.relative_to(PACKAGE)}:{text.lineno}: {text.value!r}"
        for path in source_files("supervisor")
        for text in messages(path)
        if BANNED.search(str(text.value))
    ]
    assert said == []
