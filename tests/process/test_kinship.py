"""Whether one process is of a service is known by its ancestors."""

import os
import sys
from collections.abc import Iterator

import pytest

from supervisor import system
from supervisor.process import kinship
from supervisor.process.kinship import is_member
from supervisor.process.tree import Tree
from tests.process.test_tree import printed_pid
from tests.support.children import RUN_ID, Children, children
from tests.support.eventually import eventually
from tests.support.opened import opened

pytestmark = pytest.mark.live

CHAIN = """
import os, sys, time
for depth in range(int(sys.argv[1])):
    if os.fork():
        break
else:
    print(os.getpid(), flush=True)
time.sleep(1000)
"""


@pytest.fixture
def start() -> Iterator[Children]:
    with children() as started:
        yield started


def test_it_is_one_of_all_and_nobody_else_is(start: Children) -> None:
    child, same = start.program("never_listens"), start.program("never_listens")
    other = start.program("never_listens", environment={"PORTSUP_RUN_ID": "-"})
    for each in (child, same, other):
        each.read(until="running")
    assert is_member(child.tree(), child.pid)
    assert not is_member(child.tree(), other.pid)
    assert is_member(child.tree(), same.pid), "it has the same mark"
    assert not is_member(child.tree(same.pid), same.pid), "unless it is the main process of another service"
    for stranger in (os.getpid(), os.getppid(), 1, 2**22 + 1):
        assert not is_member(child.tree(), stranger)


@pytest.mark.parametrize("name", ["leaves_session", "daemonizes"])
def test_one_that_left_is_known_by_its_mark(start: Children, name: str) -> None:
    child = start.program(name)
    left = printed_pid(child)
    eventually(lambda: is_member(child.tree(), left), what="a member")
    assert left in child.members()
    assert not is_member(Tree(2**22 + 1, RUN_ID, "another", os.getpid()), left)


def test_only_ancestors_are_looked_at_however_many_processes_there_are(start: Children) -> None:
    child = start.run(sys.executable, "-c", CHAIN, "8")
    last = printed_pid(child)
    assert is_member(child.tree(), last)
    for _ in range(20):
        start.program("never_listens").read(until="running")
    with opened() as files:
        assert is_member(child.tree(), last)
    looked = {name.split("/")[2] for name in files if name.startswith("/proc/")}
    assert len(looked) <= 9, looked


def test_one_with_very_many_ancestors_is_none(start: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    child = start.run(sys.executable, "-c", CHAIN, "8")
    last = printed_pid(child)
    assert is_member(child.tree(), last)
    monkeypatch.setattr(kinship, "MOST_ANCESTORS", 5)
    assert not is_member(child.tree(), last)


def test_an_orphan_is_known_where_nobody_hands_it_to_us(start: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    child = start.program("never_listens")
    child.read(until="running")
    stranger = start.program("never_listens", environment={"PORTSUP_RUN_ID": "-"})
    stranger.read(until="running")
    monkeypatch.setattr(system, "parent_of", lambda pid: 1)
    monkeypatch.setattr(system, "orphans_of", lambda pid: [child.pid, stranger.pid])
    of_it = Tree(2**22 + 1, RUN_ID, child.service, os.getpid())
    assert is_member(of_it, child.pid)
    assert not is_member(of_it, stranger.pid)
