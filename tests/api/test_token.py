"""The token of a user: made once, whole, and of nobody else."""

import threading
from pathlib import Path

import pytest

from supervisor.api.token import token_path, user_token
from supervisor.errors import PortsupError


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTSUP_STATE_DIR", str(tmp_path / "state"))


def test_it_is_made_once_for_its_user_alone() -> None:
    token = user_token()
    assert len(token) >= 32
    assert user_token() == token
    assert Path(token_path()).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in Path(token_path()).parent.iterdir()] == ["token"]


def test_those_who_begin_at_once_have_the_same() -> None:
    together, found = threading.Barrier(8), list[str]()

    def ask() -> None:
        together.wait()
        found.append(user_token())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {user_token()}
    assert len(found) == 8


def test_one_that_others_could_read_is_refused() -> None:
    user_token()
    Path(token_path()).chmod(0o640)
    with pytest.raises(PortsupError, match="others can read or write it"):
        user_token()


def test_one_that_is_empty_is_made_again() -> None:
    user_token()
    Path(token_path()).write_text("")
    assert user_token() == user_token() != ""
