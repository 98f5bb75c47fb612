"""Edits, moves, deletions and looks at the folder of MCP Universal, and that none of them leads out of it."""

import os
from pathlib import Path

import pytest

from examples.mcp_universal import tree as trees
from examples.mcp_universal.changes import Changes, Edit, edited
from examples.mcp_universal.tree import Node, info, tree
from examples.mcp_universal.workspace import Refusal, Workspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret")
    root = tmp_path / "root"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "a.txt").write_text("alpha\nbeta\nalpha\n")
    (root / "sub" / "b.py").write_text("def f():\n    if x:\n        return 1\n")
    (root / "out").symlink_to(tmp_path)
    return root


@pytest.fixture
def changes(root: Path) -> Changes:
    return Changes(Workspace(root))


def refusal(ask: object, *arguments: object, **named: object) -> str:
    assert callable(ask)
    with pytest.raises(Refusal) as caught:
        ask(*arguments, **named)
    return caught.value.code


def test_an_edit_replaces_what_is_there_once_and_shows_the_difference(changes: Changes, root: Path) -> None:
    edits = [Edit("beta\n", "gamma\n"), Edit("gamma", "delta")]
    assert changes.edit("a.txt", edits, dry_run=True) == (
        "--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n alpha\n-beta\n+delta\n alpha\n"
    )
    assert (root / "a.txt").read_text() == "alpha\nbeta\nalpha\n"
    changes.edit("a.txt", edits, dry_run=False)
    assert (root / "a.txt").read_text() == "alpha\ndelta\nalpha\n"


@pytest.mark.parametrize(
    ("old", "code"), [("alpha", "ambiguous"), ("omega", "not_found"), ("", "bad_request"), (" \n ", "not_found")]
)
def test_an_edit_that_does_not_fit_changes_nothing(changes: Changes, root: Path, old: str, code: str) -> None:
    assert refusal(changes.edit, "a.txt", [Edit("beta", "x"), Edit(old, "y")], dry_run=False) == code
    assert (root / "a.txt").read_text() == "alpha\nbeta\nalpha\n"


def test_an_edit_may_have_the_indentation_wrong() -> None:
    text = "def f():\n    if x:\n        return 1\n    return 2\n"
    assert edited(text, [Edit("if x:\n    return 1  \n", "if y:\n    return 3\n")], "f") == (
        "def f():\n    if y:\n        return 3\n    return 2\n"
    )
    with pytest.raises(Refusal, match="ambiguous: edit 1 of `f`: `old_text` is there 2 times"):
        edited("a\n b\na\n  b\n", [Edit("a\nb", "c")], "f")


def test_an_edit_keeps_the_ends_of_lines_and_the_permissions(changes: Changes, root: Path) -> None:
    (root / "dos.bat").write_bytes(b"one\r\ntwo\r\n")
    (root / "dos.bat").chmod(0o755)
    changes.edit("dos.bat", [Edit("one\ntwo", "one\n1.5\ntwo")], dry_run=False)
    assert (root / "dos.bat").read_bytes() == b"one\r\n1.5\r\ntwo\r\n"
    assert (root / "dos.bat").stat().st_mode & 0o777 == 0o755
    (root / "raw").write_bytes(b"\xff\xfe")
    assert refusal(changes.edit, "raw", [Edit("a", "b")], dry_run=False) == "not_text"
    assert "No newline at end of file" in changes.edit("sub/b.py", [Edit("return 1\n", "return 2")], dry_run=True)


@pytest.mark.parametrize("path", ["../secret.txt", "out/secret.txt", "/etc/passwd", "out/../../x"])
def test_no_change_leads_out(changes: Changes, root: Path, path: str) -> None:
    assert refusal(changes.edit, path, [Edit("secret", "x")], dry_run=False) == "outside_root"
    assert (
        refusal(
            changes.move,
            path,
            "here",
        )
        == "outside_root"
    )
    assert refusal(changes.move, "a.txt", path) == "outside_root"
    assert refusal(changes.delete, path, recursive=True) == "outside_root"
    assert refusal(changes.make_folder, f"{path}/new") == "outside_root"
    assert refusal(info, Workspace(root), path) == "outside_root"
    assert (root.parent / "secret.txt").read_text() == "secret"


@pytest.mark.parametrize("path", ["", ".", "..", "/", "sub/..", "sub/.", "./"])
def test_the_folder_itself_stays(changes: Changes, root: Path, path: str) -> None:
    assert refusal(changes.delete, path, recursive=True) in ("bad_path", "outside_root")
    assert refusal(changes.move, path, "elsewhere") in ("bad_path", "outside_root")
    assert root.is_dir()


def test_a_move_renames_and_never_replaces(changes: Changes, root: Path) -> None:
    changes.move("a.txt", "sub/deep/c.txt")
    assert (root / "sub/deep/c.txt").read_text().startswith("alpha")
    assert not (root / "a.txt").exists()
    changes.move("sub", "other")
    assert refusal(changes.move, "other/b.py", "other/deep/c.txt") == "exists"
    assert refusal(changes.move, "other", "other/deep/other") == "bad_path"
    assert refusal(changes.move, "nothing", "x") == "not_found"
    assert refusal(changes.move, "other/b.py", "no/such/x") == "not_found"
    (root / "full").mkdir()
    assert refusal(changes.move, "other", "full") == "exists"


def test_a_link_is_moved_and_deleted_itself(changes: Changes, root: Path) -> None:
    changes.move("out", "sub/way")
    assert os.readlink(root / "sub/way") == str(root.parent)
    assert changes.delete("sub/way", recursive=True) == "link"
    assert (root.parent / "secret.txt").exists()


def test_a_folder_is_deleted_when_it_is_empty_or_with_all_that_is_in_it(changes: Changes, root: Path) -> None:
    (root / "sub" / "link").symlink_to(root.parent)
    assert refusal(changes.delete, "sub", recursive=False) == "not_empty"
    assert changes.delete("sub/deep", recursive=False) == "folder"
    assert changes.delete("sub", recursive=True) == "folder"
    assert changes.delete("a.txt", recursive=False) == "file"
    assert refusal(changes.delete, "a.txt", recursive=False) == "not_found"
    assert (root.parent / "secret.txt").exists()


def test_folders_are_made_with_those_before_them(changes: Changes, root: Path) -> None:
    assert changes.make_folder("x/y/z") is True
    assert changes.make_folder("x/y/z") is False
    assert (root / "x/y/z").is_dir()
    assert refusal(changes.make_folder, "a.txt/x") == "not_a_file"
    assert refusal(changes.make_folder, "a.txt") == "not_a_file"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
def test_what_is_no_regular_file_is_not_replaced(changes: Changes, root: Path) -> None:
    os.mkfifo(root / "pipe")
    workspace = Workspace(root)
    assert refusal(workspace.write, "pipe", b"x", False) == "not_a_file"
    (root / "to-pipe").symlink_to("pipe")
    assert refusal(workspace.write, "to-pipe", b"x", False) == "not_a_file"
    assert refusal(changes.edit, "pipe", [Edit("a", "b")], dry_run=False) == "not_a_file"
    assert refusal(changes.move, "a.txt", "pipe") == "exists"
    assert info(workspace, "pipe").kind == "other"
    assert not (root / "pipe").is_file()
    assert (root / "pipe").exists()
    assert changes.delete("pipe", recursive=False) == "other"


def test_all_about_a_file_a_folder_and_a_link(root: Path) -> None:
    os.utime(root / "a.txt", (0, 1.5))
    (root / "a.txt").chmod(0o640)
    found = info(Workspace(root), "a.txt")
    assert (found.kind, found.size, found.mode, found.target) == ("file", 17, "-rw-r-----", None)
    assert (found.modified, found.accessed) == ("1970-01-01T00:00:01.500+00:00", "1970-01-01T00:00:00.000+00:00")
    assert info(Workspace(root), "sub").kind == "folder"
    assert info(Workspace(root), ".").kind == "folder"
    link = info(Workspace(root), "out")
    assert (link.kind, link.target) == ("link", str(root.parent))


def test_a_tree_has_all_that_is_below_a_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(root)
    deep = Node("deep", "folder", 0, [])
    assert tree(workspace, ".", 10, ()).children == [
        Node("a.txt", "file", 17),
        Node("out", "link", 0),
        Node("sub", "folder", 0, [Node("b.py", "file", 36), deep]),
    ]
    assert tree(workspace, "sub", 1, ()).children == [Node("b.py", "file", 36), deep]
    assert [node.name for node in tree(workspace, ".", 1, ()).children] == ["a.txt", "out", "sub"]
    assert tree(workspace, ".", 10, ["sub", "*.txt"]).children == [Node("out", "link", 0)]
    assert tree(workspace, ".", 10, ["**/deep", "o*"]).children[-1].children == [Node("b.py", "file", 36)]
    assert refusal(tree, workspace, "a.txt", 10, ()) == "not_a_folder"
    monkeypatch.setattr(trees, "MOST_NODES", 2)
    found = tree(workspace, ".", 10, ())
    assert (len(found.children), found.truncated) == (2, True)
