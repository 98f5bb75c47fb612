import os
import re
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from supervisor import system
from supervisor.dataclass import replace
from supervisor.process.leftovers import reap_run
from supervisor.process.tree import MOST_LOOKS, Tree, has_ending, is_gone, kill, members, terminate
from supervisor.system import environ_of, identity_of, process_name
from tests.support.children import PROGRAMS, RUN_ID, Child, Children, children, reap_everything
from tests.support.eventually import eventually
from tests.support.exhausted import no_descriptor_left
from tests.support.opened import opened

pytestmark = pytest.mark.live


@pytest.fixture
def start() -> Iterator[Children]:
    with children() as started:
        yield started


def kill_all(child: Child) -> set[int]:
    return kill(child.tree())


def is_empty(child: Child) -> bool:
    reap_everything(0.05)
    return not child.members()


def printed_pid(child: Child) -> int:
    found = re.search(r"\d+", child.read(until="\n"))
    assert found
    return int(found[0])


def test_a_simple_process_is_its_own_whole_tree(start: Children) -> None:
    child = start.program("never_listens")
    child.read(until="running")
    assert child.members() == {child.pid}
    assert kill_all(child) == {child.pid}
    assert child.wait() == -signal.SIGKILL
    assert child.members() == set()
    assert kill_all(child) == set()


def test_a_process_that_became_somebody_else_is_asked_in_vain(start: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(group: int, number: int) -> None:
        raise PermissionError  # what kill(2) says of the group of a `sudo` to who is not root

    child = start.program("never_listens")
    monkeypatch.setattr(os, "killpg", refuse)
    assert terminate(child.pid, signal.SIGTERM)
    monkeypatch.undo()
    assert identity_of(child.pid) is not None


def test_a_process_that_ended_is_no_member_before_and_after_it_is_reaped(start: Children) -> None:
    child = start.program("exits", "3")
    child.read()
    eventually(lambda: identity_of(child.pid) is None)
    assert child.members() == set()
    assert child.wait() == 3
    assert child.members() == set()


def test_an_orphan_that_is_ending_is_left_until_it_has_ended(start: Children) -> None:
    """Without its memory it has no environment to be known by, but its sockets still."""
    large = "import time; ballast = b'x' * 250_000_000; print('large', flush=True); time.sleep(60)"
    script = (
        f"import os, subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {large!r}], start_new_session=True)"
    )
    for _ in range(20):  # until one does not end faster than we look
        child = start.run(sys.executable, "-c", f"{script}; print(p.pid, flush=True)")
        orphan = printed_pid(child)
        assert child.wait() == 0
        child.read(until="large")
        assert not is_gone(child.tree())
        os.kill(orphan, signal.SIGKILL)
        told, is_there = [], True
        while is_there:
            told.append(is_gone(child.tree()) or not has_ending(child.tree()))
            is_there = identity_of(orphan) is not None
        assert not any(told[:-1])
        assert is_gone(child.tree())
        assert not has_ending(child.tree())
        if len(told) > 1:
            return
    pytest.fail("each one ended before it was looked at")


def test_a_process_without_variables_of_another_service_keeps_none_alive(start: Children) -> None:
    other = start.run(sys.executable, "-c", "import os; os.execve('/bin/sleep', ['sleep', '60'], {})")
    eventually(lambda: environ_of(other.pid) == {} and process_name(other.pid) == "sleep", within=5)
    eventually(lambda: is_gone(Tree(0, RUN_ID, "somebody", os.getpid())), within=2)


def test_a_grandchild_that_left_the_session_is_found_and_killed(start: Children) -> None:
    child = start.program("leaves_session")
    grandchild = printed_pid(child)
    assert child.members() == {child.pid, grandchild}
    assert terminate(child.pid, signal.SIGTERM)
    assert child.wait() == -signal.SIGTERM
    assert child.members() == {grandchild}
    assert kill_all(child) == {grandchild}
    eventually(lambda: is_empty(child), within=2.0)


def test_a_daemon_that_forked_twice_is_found_and_killed(start: Children) -> None:
    child = start.program("daemonizes")
    daemon = printed_pid(child)
    assert child.wait() == 0
    eventually(lambda: child.members() == {daemon})
    assert kill_all(child) == {daemon}
    eventually(lambda: is_empty(child), within=2.0)


def test_an_orphan_without_environment_is_found_by_its_session(start: Children) -> None:
    child = start.run("sh", "-c", "env -i sleep 60 & echo $!")
    orphan = printed_pid(child)
    assert child.wait() == 0
    eventually(lambda: child.members() == {orphan})
    assert kill_all(child) == {orphan}
    eventually(lambda: is_empty(child), within=2.0)


def test_the_processes_of_other_services_are_left_alone(start: Children) -> None:
    web, api = start.program("daemonizes"), start.program("daemonizes", environment={"PORTSUP_SERVICE": "api"})
    web_daemon, api_daemon = printed_pid(web), printed_pid(api)
    api.service = "api"
    web.wait(), api.wait()
    eventually(lambda: web.members() == {web_daemon})
    assert kill_all(web) == {web_daemon}
    eventually(lambda: is_empty(web), within=2.0)
    assert api.members() == {api_daemon}


def test_naming_the_other_main_processes_changes_nothing(start: Children) -> None:
    web, api = start.program("leaves_session"), start.program("never_listens")
    grandchild = printed_pid(web)
    assert members(web.tree(api.pid)) == {web.pid, grandchild}


def test_a_program_that_forks_on_and_on_is_ended(start: Children) -> None:
    child = start.program("forks_on")
    child.read(until=".\n.\n.\n.")

    def ended() -> bool:
        kill_all(child)
        return is_empty(child)

    eventually(ended, within=10.0)
    time.sleep(0.02)
    assert child.members() == set()


def test_a_signal_is_never_sent_to_a_process_that_is_not_ours(start: Children) -> None:
    assert not terminate(os.getppid(), 0)
    assert not terminate(2**22 - 2, signal.SIGTERM)
    child = start.program("exits", "0")
    child.wait()
    assert not terminate(child.pid, signal.SIGTERM)


def test_what_is_left_of_a_dead_run_is_reaped(start: Children) -> None:
    run = f"dead-{os.getpid()}"
    child = start.program("leaves_session", environment={"PORTSUP_RUN_ID": run, "PORTSUP_SERVICE": "web"})
    grandchild = printed_pid(child)
    bystander = start.program("never_listens")
    killed = reap_run(run)
    assert {each.pid for each in killed} == {child.pid, grandchild}
    assert {each.service for each in killed} == {"web"}
    assert all(each.gone and each.name for each in killed)
    assert bystander.members() == {bystander.pid}
    assert reap_run(run) == []


def test_a_dead_run_never_takes_the_one_who_cleans_up_with_it(start: Children) -> None:
    code = "import os; from supervisor.process.leftovers import reap_run; print(reap_run(os.environ['PORTSUP_RUN_ID']))"
    child = start.run(
        sys.executable, "-c", code, environment={"PORTSUP_RUN_ID": "dead-us", "PYTHONPATH": str(PROGRAMS.parents[1])}
    )
    assert child.read().strip() == "[]"
    assert child.wait() == 0


def test_asking_for_the_tree_of_a_dead_process_looks_at_no_other_process(start: Children) -> None:
    child = start.program("exits", "0")
    child.wait()
    with opened() as files:
        assert child.members() == set()
    assert [name for name in files if not name.startswith(f"/proc/{os.getpid()}/task/")] == []


def test_what_came_to_another_process_is_ours_only_if_that_is_proved(start: Children) -> None:
    """As on systems where orphans are not handed to us, and may be anybody's."""
    ours, stranger = (start.program("never_listens", environment={"PORTSUP_RUN_ID": run}) for run in (RUN_ID, "-"))
    for each in (ours, stranger):
        each.read(until="running")
    gone = Tree(stranger.pid, RUN_ID, "never_listens", os.getpid())
    nobody = Tree(0, "a run without processes", "never_listens", os.getpid())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(system, "orphans_of", lambda pid: [ours.pid, stranger.pid])
        patch.setattr(system, "children_of", lambda pid: [])
        assert members(gone) == {ours.pid}, "a session whose leader is no child of ours proves nothing"
        assert not is_gone(gone)
        patch.setattr(os, "getsid", lambda pid: 0)  # of a process whose session is that of another PID namespace
        assert (members(nobody), is_gone(nobody)) == (set(), True)
        patch.setattr(system, "children_of", lambda pid: [stranger.pid])
        assert (members(nobody), is_gone(nobody)) == (set(), True)


def test_without_a_descriptor_to_look_with_nobody_is_taken_for_gone_and_its_group_is_killed(start: Children) -> None:
    child = start.program("never_listens")
    child.read(until="running")
    tree = child.tree()
    with no_descriptor_left():
        assert not is_gone(tree)
        kill(tree)
        kill(replace(tree, main=0))  # as of a main process that was reaped
    assert child.wait() == -signal.SIGKILL
    assert is_gone(tree)


def test_what_an_orphan_forked_before_it_ended_is_still_ours(start: Children) -> None:
    """As a program does that puts itself into the background with two forks, between two looks at the orphans."""
    ours, between = start.program("never_listens"), start.program("exits", "0")
    ours.read(until="running")
    between.wait()
    looks = iter([[between.pid], [between.pid, ours.pid]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(system, "children_of", lambda pid: [])
        patch.setattr(system, "orphans_of", lambda pid: next(looks))
        assert not is_gone(Tree(0, RUN_ID, "never_listens", os.getpid()))


def test_where_orphans_end_all_the_time_nobody_waits_for_a_moment_without() -> None:
    """Each look is at all processes of the machine, and the daemon does nothing else meanwhile: it comes back."""
    looks = iter(range(1 << 22, 1 << 23))  # no such processes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(system, "children_of", lambda pid: [])
        patch.setattr(system, "orphans_of", lambda pid: [next(looks)])
        assert not is_gone(Tree(0, RUN_ID, "never_listens", os.getpid()))
    assert next(looks) - (1 << 22) == MOST_LOOKS


def test_at_what_is_known_already_nobody_looks_again_for_orphans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only at those that have begun since, or have lost their parent: 30 loses 20, which ends while it is looked at."""
    portable = pytest.importorskip("supervisor.system.portable")
    lists = iter([[1, 10, 20, 30], [1, 10, 30, 40]])
    parents = {1: iter([0, 0]), 10: iter([1]), 20: iter([0]), 30: iter([20, 1]), 40: iter([10])}
    monkeypatch.setattr(portable.psutil, "pids", lambda: next(lists))
    monkeypatch.setattr(portable.psutil, "pid_exists", lambda pid: pid != 20)
    monkeypatch.setattr(portable, "parent_of", lambda pid: next(parents.get(pid, iter([0]))))
    assert portable.orphans_of(99) == [10, 30]


def test_the_children_of_what_ended_meanwhile_are_found_among_the_orphans(start: Children) -> None:
    portable = pytest.importorskip("supervisor.system.portable")
    gone, orphan = start.program("exits", "0"), start.program("never_listens")
    orphan.read(until="running")
    gone.wait()
    looks = iter([[gone.pid], [orphan.pid]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(portable.psutil, "pids", lambda: next(looks))
        patch.setattr(portable, "parent_of", lambda pid: 1 if pid == orphan.pid else 0)
        assert portable.orphans_of(os.getpid()) == [orphan.pid]


def test_who_has_lost_its_parent_is_found_where_nobody_hands_it_to_us(start: Children) -> None:
    portable = pytest.importorskip("supervisor.system.portable")
    child = start.program("daemonizes")
    orphan = printed_pid(child)
    assert child.wait() == 0
    subreaper = os.getpid()
    assert orphan not in portable.orphans_of(subreaper), "it has come to us"
    assert orphan in portable.children_of(subreaper)
    leader = os.fork()
    if leader == 0:  # asked from below: there it is somebody else's
        os._exit(0 if orphan in portable.orphans_of(os.getpid()) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(leader, 0)[1]) == 0
    kill_all(child)
