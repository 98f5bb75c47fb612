"""Who is spared when all that a dead daemon has left is ended."""

import os

import pytest

from supervisor import system
from supervisor.process.shared import MARK, is_shared

ENVIRONMENTS = {1: {MARK: "1355"}, 2: {"PORT": "1355"}, 3: {MARK: "1355"}, os.getpid(): {}}
USERS = {1: "ada", 2: "ada", 3: "nobody", os.getpid(): "ada"}


@pytest.fixture(autouse=True)
def processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MARK, raising=False)
    monkeypatch.setattr(system, "environ_of", ENVIRONMENTS.__getitem__)
    monkeypatch.setattr(system, "process_user", USERS.__getitem__)


def test_it_is_the_proxy_of_the_same_user() -> None:
    assert [is_shared(pid) for pid in (1, 2, 3)] == [True, False, False]


def test_the_proxy_spares_nothing_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MARK, "1355")
    assert not is_shared(1)
