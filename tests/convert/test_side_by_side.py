"""Programs of the corpus under the supervisor that a file was written for, and under portsup: the same of both."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.convert import side_by_side
from tests.convert.corpus_cases import Case, cases
from tests.convert.side_by_side import Ran, by_its_own, by_portsup, tool

pytestmark = [pytest.mark.live, pytest.mark.skipif(os.name != "posix", reason="pm2 and supervisord want Unix")]
SOURCES = ("procfile", "supervisord", "pm2", "mprocs", "circus")
# What cannot be run here: it needs programs that are not there, or foreman or overmind, listens, writes below /var,
# names files in a folder that it changes to, or starts a shell that nothing is seen of; and folders that supervisord,
# and scripts that pm2 gives as absolute paths, and portsup as others. Servers that go by no PORT get it as an option.
NOT_HERE = {
    "supervisord/logs", "supervisord/fcgi", "supervisord/user", "supervisord/here", "procfile/overmind-env",
    "procfile/continued", "procfile/shell", "procfile/quotes", "mprocs/stops", "pm2/serve", "pm2/interpreters",
    "mprocs/environment", "procfile/folders", "supervisord/shell", "pm2/cluster", "pm2/limits", "pm2/javascript",
    "pm2/a-line", "pm2/a-text-without-an-ending", "pm2/in-yaml", "circus/user", "circus/socket", "circus/left",
    "circus/socket-and-other-machine", "circus/signs", "circus/environment-of-circusd", "supervisord/included-here",
    "mprocs/list-as-shell", "supervisord/nginx", "procfile/nginx",
    "procfile/own-ports", "procfile/own-ports-in-a-row", "procfile/webs-of-their-own",
    "procfile/foreman", "procfile/overmind-settings", "pm2/node-of-nvm", "pm2/program-with-an-interpreter",
}  # fmt: skip
CASES = [case for case in cases() if case.source in SOURCES and str(case) not in NOT_HERE]


def test_forty_files_are_run_by_both() -> None:
    assert len(CASES) >= 40


@pytest.mark.parametrize(
    ("pids", "ordered"),
    [((7, 9, 8), [7, 8, 9]), ((301, 32766, 300, 32767), [32766, 32767, 300, 301]), ((), [])],
    ids=["as they are", "past the highest", "none"],
)
def test_programs_stand_in_the_order_of_their_start(pids: tuple[int, ...], ordered: list[int]) -> None:
    found = side_by_side.in_order_of_start([{"pid": pid} for pid in pids], 32768)
    assert [each["pid"] for each in found] == ordered


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.timeout(600)
def test_both_run_the_same(case: Case, tmp_path: Path) -> None:
    if not tool(case.source):
        pytest.skip(f"no program of {case.source} in {side_by_side.TOOLS}: `make convert-tools` installs it")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").mkdir()
    theirs = by_its_own(case, tmp_path / "theirs")
    ours = by_portsup(case, tmp_path / "ours")
    assert _shown(case, ours) == _shown(case, theirs)
    if any(facts.get("after") for facts in case.services.values()):
        assert _order(ours) == _order(theirs)
    if case.source != "mprocs":  # it ends the shell around a program, and the closed terminal the program
        assert ours.stopped == theirs.stopped


def _shown(case: Case, ran: Ran) -> list[Any]:
    """Words, folder and the variables that the facts are about."""
    names = {name for facts in case.services.values() for name in facts.get("env", {})}
    told = {"PORT"} if str(case) == "procfile/base-port" else set()
    shown = [
        [each["argv"], each["cwd"], {name: each["env"].get(name) for name in sorted(names | told)}]
        for each in ran.started
    ]
    return sorted(shown, key=repr)


def _order(ran: Ran) -> list[str]:
    return [each["argv"][0] for each in ran.started]
