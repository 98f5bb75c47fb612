"""A browser, and stacks to look at with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.looking import FLAGS
from tests.support.needed import need_program

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=need_program("chromium"), args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Like `own_folders`, for all tests of a file."""
    folder = tmp_path_factory.mktemp("browser")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RUNTIME", "STATE"):
            place = folder / name.lower()
            place.mkdir(mode=0o700)
            patch.setenv(f"PORTSUP_{name}_DIR", str(place))
        yield folder
