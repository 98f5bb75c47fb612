"""The client's end of the control socket, against a daemon that answers as told, or not at all."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.control.client import PROTOCOL, Client, DaemonGone
from supervisor.control.protocol import VERSION, parse_request
from supervisor.control.refusals import error_from
from supervisor.errors import ExitCode, InstanceTaken, NotFound, PoolExhausted, PortsupError, UsageError
from tests.support.fake_daemon import FakeDaemon, refusal, row, status

pytestmark = pytest.mark.live


@pytest.fixture
def path(own_folders: Path) -> Path:
    return own_folders / "shop-1.sock"


def test_client_and_daemon_speak_one_version() -> None:
    assert PROTOCOL == VERSION


def test_a_question_is_one_line_that_the_daemon_understands(path: Path) -> None:
    with FakeDaemon(path, {"env": [{"ok": True, "environment": {}}]}) as daemon:
        Client(path).ask("env", service="web")
        assert daemon.asked == [{"v": 1, "do": "env", "service": "web"}]
        assert parse_request(b'{"v": 1, "do": "env", "service": "web"}').do == "env"


def test_an_argument_that_is_none_is_not_sent(path: Path) -> None:
    with FakeDaemon(path, {"down": [{"ok": True, "end": True}]}) as daemon:
        list(Client(path).stream("down", timeout=None))
        assert daemon.asked == [{"v": 1, "do": "down"}]


def test_an_answer_that_comes_in_pieces_is_put_together(path: Path) -> None:
    def pieces(_: dict[str, Any]) -> Iterator[bytes]:
        yield b'{"ok": tr'
        yield b'ue, "services": [], "text": "\xc3'
        yield b'\xa9"}\n'

    with FakeDaemon(path, {"status": pieces}):
        assert Client(path).ask("status") == {"ok": True, "services": [], "text": "é"}


def test_an_answer_of_many_megabytes_arrives(path: Path) -> None:
    rows = [row(f"service-{number}", reason="x" * 2000) for number in range(1000)]
    with FakeDaemon(path, {"status": [status(*rows)]}):
        assert len(Client(path).ask("status")["services"]) == 1000


def test_a_stream_ends_with_its_last_line(path: Path) -> None:
    lines: list[dict[str, Any]] = [
        {"ok": True, "progress": "stopping web"},
        {"ok": True, "end": True, "results": []},
        {"ok": True, "more": 1},
    ]
    with FakeDaemon(path, {"stop": lines}):
        assert list(Client(path).stream("stop", services=["web"])) == lines[:2]


def test_a_stream_without_a_last_line_says_that_the_daemon_has_gone(path: Path) -> None:
    with FakeDaemon(path, {"stop": [{"ok": True, "progress": "stopping web"}]}):
        stream = Client(path).stream("stop", services=["web"])
        assert next(stream)["progress"] == "stopping web"
        with pytest.raises(DaemonGone, match="ended the connection first"):
            next(stream)


def test_watching_tells_the_caller_when_nothing_came_for_a_while(path: Path) -> None:
    may_end = threading.Event()

    def quiet(_: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield status(row("web"))
        may_end.wait(10)
        yield {"ok": True, "end": True}

    with FakeDaemon(path, {"watch": quiet}):
        watched = Client(path).watch(every=0.02)
        first = next(answer for answer in watched if answer is not None)
        assert first.services[0].name == "web"
        assert next(watched) is None
        may_end.set()
        assert [answer for answer in watched if answer is not None] == []


def test_nobody_on_the_socket_is_no_running_instance(path: Path) -> None:
    with pytest.raises(NotFound, match="nobody answers") as caught:
        Client(path).ask("status")
    assert caught.value.exit_code == ExitCode.NOT_FOUND
    assert "portsup ls" in caught.value.hint


def test_a_socket_that_a_dead_daemon_left_is_no_running_instance(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    with pytest.raises(DaemonGone, match="nobody answers"):
        Client(path).ask("status")


def test_a_silent_daemon_is_given_up(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)
        with pytest.raises(PortsupError, match=r"silent for 0\.1 s"):
            Client(path, patience=0.1).ask("status")


def test_a_daemon_that_hangs_up_without_an_answer_is_gone(path: Path) -> None:
    with FakeDaemon(path, {"status": []}), pytest.raises(DaemonGone, match="ended the connection first"):
        Client(path).ask("status")


@pytest.mark.parametrize("nonsense", [b"HTTP/1.1 400 Bad Request\r\n", b"[1, 2]\n", b'{"ok": "yes"}\n', b"\xff\xfe\n"])
def test_an_answer_of_another_kind_is_no_traceback(path: Path, nonsense: bytes) -> None:
    with FakeDaemon(path, {"status": [nonsense]}), pytest.raises(PortsupError, match="not of the control protocol"):
        Client(path).ask("status")


def test_half_a_line_at_the_end_is_not_taken_for_an_answer(path: Path) -> None:
    with FakeDaemon(path, {"status": [b'{"ok": true, "serv']}), pytest.raises(DaemonGone, match="ended the connection"):
        Client(path).ask("status")


def test_another_version_of_the_protocol_is_named(path: Path) -> None:
    with FakeDaemon(path, {"status": [{"v": 2, "ok": True}]}), pytest.raises(PortsupError, match="version 2"):
        Client(path).ask("status")


def test_a_path_too_long_for_a_socket_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(PortsupError, match="cannot reach the running instance"):
        Client(tmp_path / ("x" * 120)).ask("status")


def test_the_daemons_own_words_and_exit_code_come_through(path: Path) -> None:
    told = refusal("cannot stop `web`", "it is not running", "`portsup status` shows it", 4)
    with FakeDaemon(path, {"stop": [told]}), pytest.raises(NotFound) as caught:
        list(Client(path).stream("stop", services=["web"]))
    assert (caught.value.what, caught.value.why) == ("cannot stop `web`", "it is not running")
    assert caught.value.hint == "`portsup status` shows it"


@pytest.mark.parametrize(
    ("code", "kind"),
    [(1, PortsupError), (2, UsageError), (4, NotFound), (12, PoolExhausted), (14, InstanceTaken), (11, PortsupError)],
)
def test_an_error_line_becomes_the_error_that_has_its_exit_code(code: int, kind: type[PortsupError]) -> None:
    error = error_from({"what": "cannot", "exit_code": code, "reasons": [[6000, "taken"]]})
    assert type(error) is kind
    assert error.exit_code == code


@pytest.mark.parametrize("report", [None, "no", {}, {"exit_code": "many"}, {"exit_code": 99}, {"what": None}])
def test_an_error_line_that_says_little_is_still_an_error(report: object) -> None:
    error = error_from(report)
    assert error.exit_code == ExitCode.FAILURE
    assert error.what
