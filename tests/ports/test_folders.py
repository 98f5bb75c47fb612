"""The memory of which folder had which number."""

import errno
import json
import os
import threading
from pathlib import Path

import pytest

from supervisor.ports import folders as module
from supervisor.ports.folders import Folders


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(str(tmp_path / "state"))


def test_what_was_kept_is_known_the_next_time(folders: Folders, tmp_path: Path) -> None:
    assert folders.all() == []
    folders.keep("shop", str(tmp_path), 2)
    folders.keep("other", "/nowhere/at/all", 1)
    (entry,) = folders.of("shop")
    assert (entry.folder, entry.number, entry.exists) == (str(tmp_path), 2, True)
    assert [(each.stack, each.exists) for each in folders.all()] == [("other", False), ("shop", True)]


def test_those_of_folders_that_are_gone_can_be_forgotten(folders: Folders, tmp_path: Path) -> None:
    folders.keep("shop", str(tmp_path), 1)
    folders.keep("shop", "/nowhere/at/all", 2)
    assert folders.forget_gone() == 1
    assert [each.number for each in folders.all()] == [1]
    assert folders.forget_gone() == 0


@pytest.mark.parametrize("text", ["", "{", "[1, {}]", '{"stack": 1}', '[{"stack": "shop", "folder": 3}]'])
def test_a_file_that_makes_no_sense_remembers_nothing_and_is_replaced(folders: Folders, text: str) -> None:
    Path(folders.path).parent.mkdir()
    Path(folders.path).write_text(text)
    assert folders.all() == []
    folders.keep("shop", "/", 1)
    assert len(folders.all()) == 1


@pytest.mark.parametrize("has_links", [True, False])
def test_what_is_damaged_stays_where_it_was_until_there_is_something_to_replace_it(
    folders: Folders, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    file = Path(folders.path)
    file.parent.mkdir()
    file.write_text("{")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(module, "write", refuse)
        if not has_links:
            full.setattr(os, "link", refuse)
        with pytest.raises(OSError, match="No space"):
            folders.keep("shop", "/", 1)
    assert Path(f"{file}.damaged").read_text() == "{"
    assert file.exists() == has_links
    if has_links:
        folders.keep("shop", "/", 1)
        assert Path(f"{file}.damaged").read_text() == "{"
        assert len(folders.all()) == 1


def test_many_at_once_lose_nothing(folders: Folders) -> None:
    threads = [threading.Thread(target=folders.keep, args=("shop", f"/{number}", number)) for number in range(1, 17)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry["instance"] for entry in json.loads(Path(folders.path).read_text())) == list(range(1, 17))
