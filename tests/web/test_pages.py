"""The files of the page: what was taken from others is what it says, and nothing asks for anything elsewhere."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from supervisor.api.rows import ON_DARK, ON_LIGHT, Look
from supervisor.web import app
from supervisor.web.guard import HEADERS

VENDOR = app.PAGES / "vendor"
OWN = sorted(path for path in app.PAGES.iterdir() if path.is_file())


def test_what_was_taken_from_npm_has_the_hashes_and_licences_that_are_told() -> None:
    told = json.loads((VENDOR / "vendored.json").read_text())
    files = {name: digest for package in told.values() for name, digest in package["files"].items()}
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir()} == {
        **files, "vendored.json": hashlib.sha256((VENDOR / "vendored.json").read_bytes()).hexdigest(),
    }  # fmt: skip
    for package in told.values():
        assert package["license"] in ("MIT", "Apache-2.0")
        assert any(name.endswith(".LICENSE") for name in package["files"])


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_a_page_has_no_inline_code_and_no_address_of_others(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son[a-z]+=\"|javascript:|innerHTML|eval\(|Function\(", text)
    assert re.findall(r"(?:https?:)?//[\w.-]+\.\w+", re.sub(r"www\.w3\.org", "", text)) == []
    assert text.count("\n") <= 300


@pytest.mark.parametrize("path", [path for path in OWN if path.suffix == ".js"], ids=lambda path: path.name)
def test_every_module_that_is_imported_is_there(path: Path) -> None:
    for name in re.findall(r"from \"(\./[^\"]+)\"", path.read_text()):
        assert (app.PAGES / name).is_file(), name


def test_the_colours_are_those_of_every_window() -> None:
    light, _, dark = (app.PAGES / "page.css").read_text().partition("prefers-color-scheme: dark")
    for text, colors in ((light, ON_LIGHT), (dark, ON_DARK)):
        told = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", text))
        assert {look: told[look] for look in Look} == colors


def test_every_path_of_the_page_is_kept_by_nobody_in_between() -> None:
    assert HEADERS["Cache-Control"] == "no-store"
