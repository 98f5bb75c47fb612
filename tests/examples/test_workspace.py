"""The folder of MCP Universal and the way out of it that there is not."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.mcp_universal.workspace import MOST_READ, Refusal, Workspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret")
    root = tmp_path / "root"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "a.txt").write_text("alpha\nbeta\n")
    (root / "sub" / "b.py").write_text("beta = 1\n")
    (root / "sub" / "deep" / "c.py").write_text("gamma\n")
    return root


def refusal(ask: object, *arguments: object) -> str:
    assert callable(ask)
    with pytest.raises(Refusal) as caught:
        ask(*arguments)
    return caught.value.code


@pytest.mark.parametrize("path", ["../secret.txt", "sub/../../secret.txt", "/etc/passwd", "..", "sub/../..", "//etc"])
def test_a_path_that_leads_out_is_refused(root: Path, path: str) -> None:
    workspace = Workspace(root)
    assert refusal(workspace.read, path, 0, 10) == "outside_root"
    assert refusal(workspace.write, path, b"", True) == "outside_root"
    assert refusal(workspace.entries, path, "*", 10) == "outside_root"


def test_a_folder_whose_name_only_begins_like_the_root_is_outside(root: Path) -> None:
    (root.parent / "root2").mkdir()
    (root.parent / "root2" / "x").write_text("x")
    assert refusal(Workspace(root).read, "../root2/x", 0, 10) == "outside_root"


def test_a_link_that_leads_out_is_refused_and_one_that_stays_is_followed(root: Path) -> None:
    (root / "out").symlink_to(root.parent / "secret.txt")
    (root / "outdir").symlink_to(root.parent)
    (root / "in").symlink_to("sub/b.py")
    workspace = Workspace(root)
    assert refusal(workspace.read, "out", 0, 10) == "outside_root"
    assert refusal(workspace.read, "outdir/secret.txt", 0, 10) == "outside_root"
    assert refusal(workspace.write, "out", b"x", False) == "outside_root"
    assert refusal(workspace.write, "outdir/new", b"x", True) == "outside_root"
    assert workspace.read("in", 0, 100)[0] == b"beta = 1\n"
    assert (root.parent / "secret.txt").read_text() == "secret"


def test_links_are_shown_but_not_walked_through(root: Path) -> None:
    (root / "outdir").symlink_to(root.parent)
    (root / "loop").symlink_to(".")
    workspace = Workspace(root)
    assert {entry.path for entry in workspace.entries(".", "*", 99)[0] if entry.kind == "link"} == {"loop", "outdir"}
    assert "secret.txt" not in str(workspace.entries(".", "**/*", 99))
    assert workspace.search("secret", "**/*", 99)[0] == []


def test_a_folder_that_turns_into_a_link_after_the_check_is_not_followed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(root)
    seen = workspace.locate("sub/b.py")
    (root / "sub").rename(root / "was-sub")
    (root.parent / "b.py").write_text("secret")
    (root / "sub").symlink_to(root.parent)
    monkeypatch.setattr(workspace, "locate", lambda path: seen)  # what the check saw a moment ago
    with pytest.raises(Refusal):
        workspace.read("sub/b.py", 0, 100)
    with pytest.raises(Refusal):
        workspace.write("sub/b.py", b"x", True)
    assert (root.parent / "b.py").read_text() == "secret"


def test_a_folder_that_turns_into_a_link_while_it_is_listed_is_not_walked_through(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(root)
    (root.parent / "elsewhere").mkdir()
    (root.parent / "elsewhere" / "secret.txt").write_text("secret")
    opened = workspace._open_folder

    def swapped(place: Path, path: str, *, make: bool = False) -> int | None:
        if place.name == "sub" and not place.is_symlink():
            place.rename(root / "was-sub")
            place.symlink_to(root.parent / "elsewhere")
        return opened(place, path, make=make)

    monkeypatch.setattr(workspace, "_open_folder", swapped)
    names = [entry.path for entry in workspace.entries(".", "**/*", 99)[0]]
    assert names == ["a.txt", "sub"]
    assert workspace.search("secret", "**/*", 99)[0] == []


def test_what_is_no_regular_file_is_refused_and_does_not_hang(root: Path) -> None:
    os.mkfifo(root / "fifo")
    workspace = Workspace(root)
    assert refusal(workspace.read, "fifo", 0, 10) == "not_a_file"
    assert refusal(workspace.read, "sub", 0, 10) == "not_a_file"
    assert refusal(workspace.read, ".", 0, 10) == "not_a_file"
    assert refusal(workspace.write, "sub", b"", False) == "not_a_file"
    assert refusal(workspace.read, "nothing", 0, 10) == "not_found"
    assert refusal(workspace.read, "a\0b", 0, 10) == "bad_path"
    assert refusal(workspace.read, "x" * 5000, 0, 10) in ("io_error", "bad_path")


@given(path=st.text(max_size=40))
def test_no_path_is_read_outside_the_root(path: str) -> None:
    workspace = Workspace(Path(__file__).parent)
    try:
        place = workspace.locate(path)
    except Refusal:
        return
    assert place == workspace.root or workspace.root in place.parents


def test_a_pattern_with_two_stars_goes_into_folders(root: Path) -> None:
    workspace = Workspace(root)

    def paths(pattern: str, path: str = ".") -> list[str]:
        return [entry.path for entry in workspace.entries(path, pattern, 99)[0]]

    assert paths("*") == ["a.txt", "sub"]
    assert paths("**/*.py") == ["sub/b.py", "sub/deep/c.py"]
    assert paths("sub/*.py") == ["sub/b.py"]
    assert paths("*.py", "sub") == ["sub/b.py"]
    assert paths("../*") == []
    assert workspace.entries(".", "**/*", 2)[1] is True


def test_search_finds_lines_and_skips_what_is_not_text(root: Path) -> None:
    (root / "binary").write_bytes(b"\0beta")
    (root / "huge").write_bytes(b"beta\n" + b"x" * MOST_READ)
    found, truncated = Workspace(root).search("beta", "**/*", 99)
    assert [(match.path, match.line) for match in found] == [("a.txt", 2), ("sub/b.py", 1)]
    assert not truncated
    assert Workspace(root).search("beta", "**/*", 1) == (found[:1], True)


def test_writing_replaces_a_file_as_a_whole(root: Path) -> None:
    (root / "a.txt").chmod(0o640)
    workspace = Workspace(root)
    assert workspace.write("a.txt", b"new", False) is False
    assert (root / "a.txt").read_bytes() == b"new"
    assert (root / "a.txt").stat().st_mode & 0o777 == 0o640
    assert workspace.write("x/y/z.txt", b"deep", True) is True
    assert (root / "x/y/z.txt").read_bytes() == b"deep"
    assert refusal(workspace.write, "not/there.txt", b"", False) == "not_found"
    assert refusal(workspace.write, "a.txt/b", b"", True) == "not_a_file"
    assert refusal(workspace.write, "big", b"x" * (MOST_READ + 1), False) == "too_large"
    assert sorted(os.listdir(root)) == ["a.txt", "sub", "x"]


def test_a_pattern_of_many_folders_is_tried_once_a_name(root: Path) -> None:
    deep = "/".join("d" * 40)
    Workspace(root).write(f"{deep}/x", b"", True)
    pattern = "**/d/" * 20
    assert Workspace(root).entries(".", pattern + "y", 10) == (
        [],
        False,
    )  # the time limit of the tests is the other half
    found, _ = Workspace(root).entries(".", pattern + "x", 10)
    assert [entry.path for entry in found] == [f"{deep}/x"]


def test_a_path_that_no_file_system_has_is_refused(root: Path) -> None:
    assert refusal(Workspace(root).read, "\ud800", 0, 10) == "bad_path"
