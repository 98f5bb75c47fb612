"""Whom a program runs as, and what it may use."""

import grp
import os
import pwd
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from supervisor import system
from supervisor.config.keys.process import LIMITS
from supervisor.core.limits import UNLIMITED
from supervisor.errors import SpawnError
from supervisor.process import vfork
from supervisor.process.account import Account, account
from supervisor.process.limits import RESOURCES, limits
from tests.support.children import Children, children

ENTRY = pwd.struct_passwd(("bob", "x", 1234, 2345, "", "/home/bob", "/bin/sh"))


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes believe that we are root, and that there is a user `bob` in two groups."""

    def getpwnam(name: str) -> pwd.struct_passwd:
        if name != "bob":
            raise KeyError(name)
        return ENTRY

    def getpwuid(uid: int) -> pwd.struct_passwd:
        if uid != 1234:
            raise KeyError(uid)
        return ENTRY

    def getgrnam(name: str) -> SimpleNamespace:
        if name != "staff":
            raise KeyError(name)
        return SimpleNamespace(gr_gid=50)

    monkeypatch.setattr(pwd, "getpwnam", getpwnam)
    monkeypatch.setattr(pwd, "getpwuid", getpwuid)
    monkeypatch.setattr(grp, "getgrnam", getgrnam)
    monkeypatch.setattr(os, "getgrouplist", lambda name, gid: [gid, 77])
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "getegid", lambda: 0)


def test_a_user_brings_its_groups_and_variables(root: None) -> None:
    told = {"HOME": "/home/bob", "USER": "bob", "LOGNAME": "bob", "SHELL": "/bin/sh"}
    assert account("bob", "") == Account(1234, 2345, (2345, 77), "user `bob`", told)
    assert account("1234", "staff") == Account(1234, 50, (50, 77), "user `1234` and group `staff`", told)
    assert account("", "staff") == Account(None, 50, (50,), "group `staff`")
    assert account("999", "50") == Account(999, 50, (50,), "user `999` and group `50`")
    assert account("", "") is None


@pytest.mark.parametrize(
    ("user", "group", "why"),
    [
        ("eve", "", "there is no such user"),
        ("bob", "crew", "there is no such group"),
        ("4294967296", "50", "there is no number 4294967296"),  # in 32 bits this is root
        ("bob", "4294967295", "there is no number 4294967295"),
        ("bob", "9" * 5000, f"there is no number {'9' * 32}…"),  # Python makes no number of so many digits
        ("9" * 5000, "50", f"user `{'9' * 32}…` and group `50`: there is no number {'9' * 32}…"),
        ("0" * 5000, "9" * 5000, f"there is no number {'9' * 32}…"),
        ("999", "", "the system does not know that user, and so not its group"),
    ],
)
def test_who_is_not_there_is_told(root: None, user: str, group: str, why: str) -> None:
    with pytest.raises(SpawnError, match=why):
        account(user, group)


def test_only_root_can_become_somebody_else(root: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SpawnError, match="cannot run anything as user `bob`: only root can do that"):
        account("bob", "")
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    monkeypatch.setattr(os, "getegid", lambda: 2345)
    assert account("bob", "") is None, "that is who we are"


def test_limits_are_for_good_and_cpu_time_is_told_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "highest_limit", lambda number: resource.RLIM_INFINITY)
    wanted = {"nofile": 64, "cpu_time": 5}
    assert limits(wanted) == [(resource.RLIMIT_NOFILE, 64, 64), (resource.RLIMIT_CPU, 5, 6)]


def test_an_ordinary_user_stays_below_the_limits_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "highest_limit", lambda number: 100)
    assert limits({"nofile": 100}) == [(resource.RLIMIT_NOFILE, 100, 100)]
    assert limits({"cpu_time": 100}) == [(resource.RLIMIT_CPU, 100, 100)]
    with pytest.raises(SpawnError, match="is above 100, the most that this system allows us"):
        limits({"nofile": 101})


def test_unlimited_is_as_much_as_we_may_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "highest_limit", lambda number: 100)
    assert limits({"nofile": UNLIMITED}) == [(resource.RLIMIT_NOFILE, 100, 100)]
    monkeypatch.setattr(system, "highest_limit", lambda number: resource.RLIM_INFINITY)
    assert limits({"core": UNLIMITED}) == [(resource.RLIMIT_CORE, resource.RLIM_INFINITY, resource.RLIM_INFINITY)]


@pytest.mark.parametrize(
    ("capabilities", "most"), [("000001ffffffffff", resource.RLIM_INFINITY), ("000001fffeffffff", 100)]
)
@pytest.mark.skipif(sys.platform != "linux", reason="it is about capabilities(7)")
def test_root_without_the_capability_raises_nothing(
    capabilities: str, most: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from supervisor.system import linux_limits

    told = tmp_path / "status"
    told.write_text(f"Name:\tx\nCapPrm:\t{capabilities}\nCapEff:\t{capabilities}\n")
    monkeypatch.setattr(linux_limits, "open", lambda path: told.open(), raising=False)
    monkeypatch.setattr(resource, "getrlimit", lambda number: (10, 100))
    assert linux_limits.highest_limit(resource.RLIMIT_MEMLOCK) == most


def test_every_key_of_limits_is_known() -> None:
    assert {key.name for key in LIMITS.keys} == set(RESOURCES)


@pytest.fixture(params=["vfork", "fork"])
def start(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Children]:
    """Starts programs, once in each of the two ways."""
    if request.param == "fork":
        monkeypatch.setattr(vfork, "works", lambda: False)
    with children() as started:
        yield started


SHOW = "import resource as r; print(*(r.getrlimit(n) for n in (r.RLIMIT_NOFILE, r.RLIMIT_AS, r.RLIMIT_CPU)))"


@pytest.mark.live
def test_a_program_has_its_limits_and_we_keep_ours(start: Children) -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    wanted = limits({"nofile": 64, "address_space": 2**32, "cpu_time": 9})
    child = start.run(sys.executable, "-c", SHOW, limits=wanted, nofile_limit=128)
    assert child.read() == f"(64, 64) {(2**32, 2**32)} (9, 10)\n"
    assert resource.getrlimit(resource.RLIMIT_AS) == before


WHO = "import os; print(os.getresuid(), os.getresgid(), sorted(os.getgroups()))"


@pytest.mark.live
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_program_runs_as_somebody_else_and_still_dies_with_us(start: Children) -> None:
    child = start.run("/usr/bin/env", "python3", "-c", WHO, account=account("65534", "12345"))
    uid, gid = (65534,) * 3, (12345,) * 3
    groups = sorted(set(os.getgrouplist(pwd.getpwuid(65534).pw_name, 12345)))
    assert child.read() == f"{uid} {gid} {groups}\n"
    code = "import ctypes as c; n = c.c_int(); c.CDLL(None).prctl(2, c.byref(n)); print(n.value)"
    assert start.run("/usr/bin/env", "python3", "-c", code, account=account("65534", "0")).read() == "9\n", "SIGKILL"


@pytest.fixture
def low() -> Iterator[None]:
    """As if the machine let nobody but root lock more than 64 KiB."""
    if system.highest_limit(resource.RLIMIT_MEMLOCK) != resource.RLIM_INFINITY:
        pytest.skip("only who has CAP_SYS_RESOURCE may raise limits, which root lacks in many containers")
    before = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (2**16, 2**16))
    yield
    resource.setrlimit(resource.RLIMIT_MEMLOCK, before)


@pytest.mark.live
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("whose", ["", "65534"])
@pytest.mark.parametrize(("wanted", "most"), [(2**20, 2**20), (UNLIMITED, resource.RLIM_INFINITY)])
def test_a_limit_above_ours_holds_for_every_user(
    low: None, start: Children, whose: str, wanted: int, most: int
) -> None:
    code = "import resource as r; print(*r.getrlimit(r.RLIMIT_MEMLOCK))"
    given = account(whose, "0") if whose else None
    child = start.run("/usr/bin/env", "python3", "-c", code, limits=limits({"memlock": wanted}), account=given)
    assert child.read() == f"{most} {most}\n"


@pytest.mark.live
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_program_that_the_user_may_not_execute_is_told(start: Children, tmp_path: "os.PathLike[str]") -> None:
    program = os.path.join(tmp_path, "secret")
    with open(program, "w") as file:
        file.write("#!/bin/sh\n")
    os.chmod(program, 0o700)
    with pytest.raises(SpawnError, match="user `65534` may not execute"):
        start.run(program, account=account("65534", ""))


def test_memory_is_told_where_there_is_more_than_the_limit() -> None:
    assert system.memory_above([os.getpid()], 2**20) > 2**20
    assert system.memory_above([os.getpid()], 2**40) == 0
    assert system.memory_above([], 0) == 0


@pytest.mark.live
@pytest.mark.parametrize("stack", [1 << 16, 1 << 18, 1 << 20, 1 << 26])
@pytest.mark.skipif(system.HAS_JOBS, reason="Windows has no limits of setrlimit(2)")
def test_a_program_starts_with_as_many_words_as_there_is_room_for_and_not_with_more(stack: int) -> None:
    """The kernel is asked: most of the stack, 128 KiB, a quarter of the stack, and 6 MiB."""
    room = system.room_for_words(stack)
    word = "x" * 1000

    def run(size: int) -> int:
        words = ["/bin/true", *[word] * ((size - 100) // (len(word) + 1 + 8))]
        return subprocess.run(
            words, env={}, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (stack, stack)), check=True
        ).returncode

    assert run(room - 4096) == 0
    with pytest.raises((OSError, subprocess.CalledProcessError)):  # E2BIG, or no stack to begin on
        run(room + 16384)
