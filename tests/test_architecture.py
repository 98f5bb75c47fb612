"""The lists of docs/explanation/architecture.md against the code."""

import ast
import functools
import re

import pytest

from tests.support.source import PACKAGE, ROOT, docstrings, every_import, files_run_by, source_files

PAGE = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
PATHS = {
    title: re.findall(r"^- `([\w/]+\.py)`", text, re.M)
    for title, text in re.findall(r"^## What a `?(\w+)`? goes through\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
}


@functools.cache
def imported_by(file: str) -> set[str]:
    return {each for found in every_import() if found.file == file for each in files_run_by(found.module)}


def test_the_page_tells_of_these_ways() -> None:
    assert PATHS.keys() == {"crash", "bind", "reload", "status"}


@pytest.mark.parametrize("title", PATHS)
def test_each_file_of_a_way_is_there_and_knows_one_before_it_or_is_known(title: str) -> None:
    files = PATHS[title]
    assert [file for file in files if not (PACKAGE / file).exists()] == []
    strange = []
    for number, file in enumerate(files[1:], 1):
        known = imported_by(file)
        if not any(other in known or file in imported_by(other) for other in files[:number]):
            strange.append(file)
    assert strange == []


def test_every_file_and_folder_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`((?:\w+/)+(?:\w+\.py)?|\w+\.py)`", PAGE))
    assert sorted(name for name in named if not ((PACKAGE / name).exists() or (ROOT / name).exists())) == []


def test_every_file_that_a_docstring_or_a_comment_names_is_there() -> None:
    missing = []
    for path in source_files("supervisor", ".ci", "benchmarks"):
        texts = [str(text.value) for text in docstrings(path) if isinstance(text, ast.Constant)]
        for text in (*texts, *re.findall(r"(?:^|  )# .*", path.read_text(encoding="utf-8"), re.M)):
            for name in re.findall(r"(?<![\w/.:-])(?:[\w.-]+/)+\w+\.(?:py|md|sh)\b", text):
                if not any((place / name).exists() for place in (ROOT, PACKAGE, path.parent, ROOT / "docs/reference")):
                    missing.append(f"{path.relative_to(ROOT)}: {name}")
    assert missing == []


def test_every_question_of_a_newcomer_has_a_file() -> None:
    rows = re.findall(r"^\| (.*\?) \| (.*) \|$", PAGE.partition("## Where is")[2].partition("## What a")[0], re.M)
    assert len(rows) > 20
    assert [question for question, answer in rows if not re.search(r"`\w[\w/]*(?:/|\.py)`", answer)] == []
    words = {path.name for path in (PACKAGE / "words").glob("*.py")} - {"__init__.py"}
    named = set(re.findall(r"`words/(\w+\.py)`", PAGE))
    assert named == words


def test_every_folder_of_the_package_is_on_the_page() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/*.py")}
    table = PAGE.partition("## The directories")[2].partition("Inside `daemon/`")[0]
    assert sorted(folders - set(re.findall(r"`(\w+)/`", table))) == []


def test_every_folder_of_the_daemon_is_on_the_page_and_small() -> None:
    folders = [path for path in (PACKAGE / "daemon").rglob("*") if path.is_dir() and any(path.glob("*.py"))]
    assert [path for path in folders if f"`daemon/{path.relative_to(PACKAGE / 'daemon')}/`" not in PAGE] == []
    counts = {str(path): len(list(path.glob("*.py"))) for path in (PACKAGE / "daemon", *folders)}
    assert {path: count for path, count in counts.items() if count > 15} == {}
