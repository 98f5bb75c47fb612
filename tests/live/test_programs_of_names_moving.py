"""What passes through the proxy of `names` while services move: requests, streams, websockets, HTTP/2."""

import base64
import contextlib
import json
import resource
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from tests.live.naming import LONG, Named, http_service
from tests.support.budget import budget
from tests.support.eventually import eventually
from tests.support.needed import need_program
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

BODY = {"GET": None, "POST": bytes(1000)}
MANY_STREAMS = Path(__file__).parent / "http2_streams.mjs"


def test_streams_pass_and_a_rotation_beside_them_cuts_none(named: Named) -> None:
    size = budget(8, 1024) << 20
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    idle = min(1000, hard - 200)
    live = named.stack({"web": http_service(), "other": http_service()})
    with live.up(), contextlib.ExitStack() as opened:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, idle + 200), hard))
        opened.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        named.served("web")
        upgraded = opened.enter_context(socket.create_connection(("127.0.0.1", named.port), LONG))
        upgraded.sendall(
            b"GET /upgrade HTTP/1.1\r\nHost: web.t.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.b64encode(bytes(16)) + b"\r\n\r\n"
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += upgraded.recv(1000)
        assert answer.startswith(b"HTTP/1.1 101 ")
        waiting = []
        for _ in range(idle):
            waiting.append(opened.enter_context(contextlib.closing(named.connect())))
            waiting[-1].request("GET", "/", headers={"Host": "other.t.localhost"})
            assert waiting[-1].getresponse().read()
        events = opened.enter_context(contextlib.closing(named.connect()))
        events.request("GET", "/events/1000", headers={"Host": "web.t.localhost"})
        stream = events.getresponse()
        assert stream.readline() == b"data: 0\n"  # while the answer is far from its end

        assert live.rotate("other")["ok"]

        upgraded.sendall(b"still there")
        assert upgraded.recv(100) == b"still there"
        assert (stream.readline(), stream.readline()) == (b"\n", b"data: 1\n")
        for each in waiting[::50]:
            each.request("GET", "/", headers={"Host": "other.t.localhost"})
            answer_of_other = each.getresponse()
            assert (answer_of_other.status, bool(answer_of_other.read())) == (200, True)
        sent = named.ask("web.t.localhost", method="POST", body=(bytes(1 << 20) for _ in range(size >> 20)),
                         headers={"Content-Length": str(size)})  # fmt: skip
        assert sent == (200, str(size))
        connection = opened.enter_context(contextlib.closing(named.connect()))
        connection.request("GET", f"/bytes/{size}", headers={"Host": "web.t.localhost"})
        body, count = connection.getresponse(), 0
        while data := body.read(1 << 20):
            count += len(data)
        assert count == size
        assert max(each.memory_info().rss for each in named.processes()) < 300 << 20


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_request_is_lost_while_its_service_moves(named: Named, method: str) -> None:
    live = named.stack({"web": http_service(4)})
    with live.up():
        named.served("web")
        told: list[list[tuple[int, str]]] = [[], [], [], []]
        is_over = threading.Event()

        def load(mine: list[tuple[int, str]]) -> None:
            connection = named.connect()
            with contextlib.closing(connection):
                while not is_over.is_set():
                    connection.request(method, "/who", BODY[method], {"Host": "web.t.localhost"})
                    answer = connection.getresponse()
                    mine.append((answer.status, answer.read().decode().rpartition(" ")[2]))

        callers = [threading.Thread(target=load, args=(mine,)) for mine in told]
        for each in callers:
            each.start()
        try:
            for _ in range(budget(5, 100)):
                port = str(live.rotate("web")["words"]).rpartition(" ")[2]
                eventually(lambda port=port: all(mine and mine[-1][1] == port for mine in told), within=LONG)  # type: ignore[misc]
        finally:
            is_over.set()
            for each in callers:
                each.join(LONG)
        assert [each for mine in told for each in mine if each[0] != 200] == []
        assert len({port for mine in told for _, port in mine}) >= 3


def test_a_websocket_of_a_service_that_moves_is_closed_in_order_and_the_next_one_reaches_the_new_process(
    named: Named,
) -> None:
    from websockets.exceptions import ConnectionClosed

    echoes = {"command": program("echoes_websocket"), "pool": list(free_pool(3))}
    live = named.stack({"moves": echoes, "stays": {**echoes, "pool": list(free_pool(3))}})
    with live.up(), named.websocket("stays") as stays:
        stays.send("before")
        before = stays.recv(LONG)
        for number in range(budget(3, 20)):
            with named.websocket("moves") as moves:
                moves.send(f"{number}")
                assert moves.recv(LONG) == f"{number} by {live.rows()['moves']['port']}"
                moving = threading.Thread(target=live.rotate, args=["moves"])
                moving.start()
                with contextlib.suppress(ConnectionClosed):
                    while True:
                        moves.send("on")
                        assert str(moves.recv(LONG)).startswith("on by ")
                assert moves.close_code == 1001  # going away: the service said so, and the proxy passed it on
            with named.websocket("moves") as again:  # at once, while the new process starts
                again.send("again")
                told = again.recv(LONG)
            moving.join(LONG)
            assert told == f"again by {live.rows()['moves']['port']}"
        stays.send("before")
        assert stays.recv(LONG) == before


def test_http2_streams_of_one_connection_go_on_while_their_service_moves(named: Named) -> None:
    node = need_program("node", "nodejs")
    live = named.stack({"web": http_service()}, names={"port": named.port, "https": True})
    with live.up():
        root = live.state / "names/caddy/pki/authorities/local/root.crt"
        asks = subprocess.Popen(
            [node, MANY_STREAMS, str(named.port), "web.t.localhost", root], stdin=subprocess.PIPE, text=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        with asks:
            assert asks.stdin is not None
            assert asks.stdout is not None
            assert asks.stdout.readline() == "asks\n"
            ports = [str(live.rotate("web")["words"]).rpartition(" ")[2] for _ in range(budget(2, 20))]
            asks.stdin.close()
            told = json.loads(asks.stdout.read())
        assert told["wrong"] == []
        assert (told["protocol"], told["connections"]) == ("h2", 1)
        assert ports[-1] in told["ports"]
        assert len(told["ports"]) > 1
