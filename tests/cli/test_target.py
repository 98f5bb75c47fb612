"""Which instance a command means."""

import os
from pathlib import Path
from typing import Any

import pytest

from supervisor.errors import ExitCode, NotFound
from supervisor.ports.choice import choose
from tests.cli.conftest import info


def project(path: Path, name: str) -> Path:
    folder = path / name
    folder.mkdir()
    (folder / "services.yaml").write_text("services: {}\n")
    return folder


def started(folder: Path, **changes: Any) -> Any:
    return info(directory=str(folder), file=str(folder / "services.yaml"), **changes)


def test_nothing_running_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="none is running") as caught:
        choose([], str(tmp_path), None, ())
    assert "portsup up" in caught.value.hint
    assert caught.value.exit_code == ExitCode.NOT_FOUND


def test_the_only_one_running_is_meant_from_anywhere(tmp_path: Path) -> None:
    only = info()
    assert choose([only], str(tmp_path), None, ()) is only
    assert choose([only], str(tmp_path), None, (), changes=True) is only


def test_the_one_started_from_this_folder_comes_before_others(tmp_path: Path) -> None:
    here = started(project(tmp_path, "here"), instance=2)
    assert choose([info(), here], str(tmp_path / "here"), None, ()) is here


def test_a_folder_below_the_project_is_the_project(tmp_path: Path) -> None:
    here = started(project(tmp_path, "here"), instance=2)
    below = tmp_path / "here" / "src" / "deep"
    below.mkdir(parents=True)
    assert choose([info(), here], str(below), None, ()) is here


def test_a_project_inside_a_project_is_the_nearer_one(tmp_path: Path) -> None:
    outer = started(project(tmp_path, "outer"))
    inner = started(project(tmp_path / "outer", "inner"), stack="inner")
    assert choose([outer, inner], str(tmp_path / "outer" / "inner"), None, ()) is inner
    assert choose([outer, inner], str(tmp_path / "outer"), None, ()) is outer


def test_a_link_to_the_folder_is_the_folder(tmp_path: Path) -> None:
    here = started(project(tmp_path, "here"))
    (tmp_path / "link").symlink_to(tmp_path / "here")
    assert choose([info(), here], str(tmp_path / "link"), None, ()) is here
    assert choose([info(), here], "/", None, [str(tmp_path / "link" / "services.yaml")]) is here


def test_a_number_picks_among_the_instances_of_this_folder(tmp_path: Path) -> None:
    first, second = (started(project(tmp_path, name), instance=n) for n, name in ((1, "a"), (2, "b")))
    third = started(tmp_path / "a", instance=3)
    assert choose([first, second, third], str(tmp_path / "a"), 3, ()) is third
    assert choose([first, second, third], str(tmp_path / "a"), 2, ()) is second


def test_two_that_fit_are_listed_and_none_is_picked(tmp_path: Path) -> None:
    folder = project(tmp_path, "here")
    both = [started(folder, instance=1, pid=11), started(folder, instance=2, pid=12)]
    with pytest.raises(NotFound) as caught:
        choose(both, str(folder), None, ())
    assert f"`shop` instance 1 (pid 11) from {folder}" in caught.value.why
    assert f"`shop` instance 2 (pid 12) from {folder}" in caught.value.why
    assert "--instance 2" in caught.value.hint


def test_two_stacks_with_one_number_are_told_apart_by_their_file(tmp_path: Path) -> None:
    both = [info(stack="shop"), info(stack="mail", directory="/srv/mail", file="/srv/mail/services.yaml")]
    with pytest.raises(NotFound) as caught:
        choose(both, str(tmp_path), 1, ())
    assert "-f FILE" in caught.value.hint
    assert choose(both, str(tmp_path), None, ["/srv/mail/services.yaml"]) is both[1]


def test_a_file_may_be_given_by_its_folder(tmp_path: Path) -> None:
    here = started(project(tmp_path, "here"))
    assert choose([info(), here], "/", None, [str(tmp_path / "here")]) is here


def test_a_relative_file_is_one_of_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = started(project(tmp_path, "here"))
    monkeypatch.chdir(tmp_path / "here")
    assert choose([info(), here], os.getcwd(), None, ["services.yaml"]) is here


def test_a_file_that_nothing_runs_from_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"none runs from `other\.yaml` as instance 2"):
        choose([info()], str(tmp_path), 2, ["other.yaml"])


def test_a_number_that_does_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="none has number 7"):
        choose([info()], str(tmp_path), 7, ())


def test_a_change_from_another_project_does_not_hit_the_only_one_running(tmp_path: Path) -> None:
    folder = project(tmp_path, "here")
    with pytest.raises(NotFound, match="none was started from"):
        choose([info()], str(folder), None, (), changes=True)
    assert choose([info()], str(folder), None, ()).stack == "shop"
    assert choose([info()], str(folder), 1, (), changes=True).stack == "shop"


def test_a_number_never_means_another_stack_where_this_one_runs(tmp_path: Path) -> None:
    here = started(project(tmp_path, "here"))
    with pytest.raises(NotFound, match="none of this stack has number 2"):
        choose([here, info(stack="mail", instance=2)], str(tmp_path / "here"), 2, ())
