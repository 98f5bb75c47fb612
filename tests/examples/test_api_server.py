"""API Server: the stack as it is, dead peers included."""

import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.examples.running import Running, error_of, service
from tests.examples.upstream import Upstream, upstream
from tests.support.eventually import eventually
from tests.support.ports import free_port

pytestmark = pytest.mark.live


def publish(path: Path, **ports: int) -> None:
    services = {
        name.replace("_", "-"): {
            "port": port,
            "host": "127.0.0.1",
            "url": f"http://127.0.0.1:{port}",
            "pool": [port, port + 1],
        }
        for name, port in ports.items()
    }
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"stack": "sandra", "instance": 1, "services": services}))
    new.replace(path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    path = tmp_path_factory.mktemp("api") / "sandra-1.endpoints.json"
    with service("api_server", PORTSUP_ENDPOINTS=str(path)) as running:
        yield running, path


@pytest.fixture
def endpoints(shared: tuple[Running, Path]) -> Path:
    """Where portsup publishes; nothing is published yet."""
    publish(shared[1])
    return shared[1]


@pytest.fixture
def api(shared: tuple[Running, Path], endpoints: Path) -> Running:
    return shared[0]


@contextmanager
def control_socket(path: Path, rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """A stand-in for portsup's control socket; `rows` may be changed while it runs."""
    changed = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            request = json.loads(self.rfile.readline())
            assert request["v"] == 1
            self._tell()
            while request["do"] == "watch" and changed.wait(20):
                changed.clear()
                self._tell()

        def _tell(self) -> None:
            self.wfile.write(json.dumps({"ok": True, "services": rows}).encode() + b"\n")

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    class Rows(list[dict[str, Any]]):
        def append(self, row: dict[str, Any]) -> None:
            rows.append(row)
            changed.set()

    with Server(str(path), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield Rows()
        server.shutdown()
    path.unlink()


def test_a_service_that_moved_is_found_at_its_new_port(api: Running, endpoints: Path) -> None:
    with service("groq_api") as first, service("groq_api") as second:
        for running in (first, second):
            publish(endpoints, groq_api=running.port)
            shown = api.http.get("/api/services/groq-api").json()
            assert (shown["port"], shown["health"]) == (running.port, "degraded")
            assert shown["checks"]["keys"] == "upstream_not_configured"
            assert api.http.get("/groq-api/health").json()["service"] == "groq-api"


def test_a_dead_peer_is_data_and_never_our_error(api: Running, endpoints: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, upstream() as stranger:
        ports = {
            "gone": free_port(),
            "silent": silent.getsockname()[1],
            "strange": int(stranger.url.rpartition(":")[2]),
        }
        publish(endpoints, api_server=api.port, **ports)
        response = api.http.get("/api/health/aggregated")
        assert response.status_code == 200
        report = response.json()
        assert (report["status"], report["ok"], report["down"]) == ("down", 1, 3)
        reasons = {name: shown["reason"] for name, shown in report["services"].items()}
        assert reasons["silent"] == "it does not answer in time"
        assert reasons["strange"] == "it answers 404"
        assert reasons["gone"].startswith("it cannot be reached")
        assert error_of(api.http.get("/gone/health"), 503)["code"] == "upstream_unreachable"


def test_every_service_and_pool_is_listed(api: Running, endpoints: Path) -> None:
    publish(endpoints, api_server=api.port, groq_api=7)
    assert [one["name"] for one in api.http.get("/api/services").json()["services"]] == ["api-server", "groq-api"]
    ports = api.http.get("/api/ports").json()
    assert ports["source"] == "endpoints"
    pools = {one["name"]: one["pool"] for one in ports["services"]}
    assert [(port["port"], port["state"]) for port in pools["groq-api"]] == [(7, "active"), (8, "spare")]
    assert error_of(api.http.get("/api/services/nobody"), 404)["code"] == "unknown_service"


def test_portsups_own_word_is_shown_where_it_can_be_asked(api: Running, endpoints: Path) -> None:
    pool = [
        {"port": 6000, "state": "taken", "holder": "held by `node` (pid 7)"},
        {"port": 6001, "state": "active", "holder": None},
    ]
    row = {"name": "web", "state": "running", "port": 6001, "pid": 99, "restarts": 2, "pool": pool}
    publish(endpoints, web=6001)
    with control_socket(endpoints.with_name("sandra-1.sock"), [row]):
        shown = api.http.get("/api/services/web").json()
        assert (shown["state"], shown["pid"], shown["restarts"], shown["pool"]) == ("running", 99, 2, [6000, 6001])
        ports = api.http.get("/api/ports").json()
        assert ports["source"] == "portsup"
        assert ports["services"] == [{"name": "web", "port": 6001, "pool": pool}]


def everything_told(api: Running) -> Iterator[tuple[str, Any]]:
    with api.http.stream("GET", "/api/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            if line.startswith("data: "):
                yield kind, json.loads(line.removeprefix("data: "))


def events(api: Running) -> Iterator[list[dict[str, Any]]]:
    return (data["services"] for kind, data in everything_told(api) if kind == "services")


def test_changes_are_told_as_they_happen(api: Running, endpoints: Path) -> None:
    with control_socket(endpoints.with_name("sandra-1.sock"), [{"name": "web"}]) as rows:
        told = events(api)
        assert [row["name"] for row in next(told)] == ["web"]
        rows.append({"name": "other"})
        assert [row["name"] for row in next(told)] == ["web", "other"]


def test_what_has_changed_is_told_before_it(api: Running, endpoints: Path) -> None:
    first = {"name": "web", "state": "running", "uptime_s": 1}
    with control_socket(endpoints.with_name("sandra-1.sock"), [first]) as rows:
        told = everything_told(api)
        assert next(told)[0] == "services"
        rows.append({"name": "other", "state": "starting"})
        assert next(told) == ("change", {"name": "other", "was": None, "is": {"state": "starting"}})
        assert next(told)[0] == "services"


def test_without_portsup_the_endpoints_file_is_followed(api: Running, endpoints: Path) -> None:
    told = events(api)
    assert next(told) == []
    publish(endpoints, web=7)
    assert next(told) == [{"name": "web", "port": 7, "url": "http://127.0.0.1:7"}]


def test_the_gateway_passes_requests_on_as_they_are(api: Running, endpoints: Path, behind: Upstream) -> None:
    publish(endpoints, web=int(behind.url.rpartition(":")[2]))
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    response = api.http.post(
        "/web/v1/x?a=%20b", json={"q": 1}, headers={"traceparent": trace, "authorization": "Bearer t"}
    )
    assert response.status_code == 200
    method, path, headers, body = behind.seen[-1]
    assert (method, path, json.loads(body)) == ("POST", "/v1/x?a=%20b", {"q": 1})
    assert headers["authorization"] == "Bearer t"
    assert headers["traceparent"].startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert headers["traceparent"] != trace
    assert response.headers["traceparent"] == headers["traceparent"]
    assert api.http.get("/web/api/version").json() == {"version": "0.9.9"}
    assert behind.seen[-1][2]["traceparent"].startswith("00-")


def test_the_gateway_streams(api: Running, endpoints: Path, behind: Upstream) -> None:
    publish(endpoints, web=int(behind.url.rpartition(":")[2]))
    behind.pause = True
    body = {"model": "tiny:latest", "prompt": "hi"}
    with api.http.stream("POST", "/web/api/generate", json=body) as response:
        parts = response.iter_raw()
        assert b"one" in next(parts)
        behind.go_on.set()
        assert b"three" in b"".join(parts)


def test_the_gateway_leads_to_services_of_the_stack_only(api: Running, endpoints: Path) -> None:
    publish(endpoints, api_server=api.port)
    for path in ("/nobody/x", "/api-server/api/health", "/127.0.0.1:80/x"):
        assert error_of(api.http.get(path), 404)["code"] == "unknown_service"


def test_requests_through_the_gateway_leave_spans(api: Running, endpoints: Path, behind: Upstream) -> None:
    publish(endpoints, here=int(behind.url.rpartition(":")[2]), away=free_port())
    trace = f"{time.time_ns():032x}"
    for name in ("here", "away"):
        api.http.get(f"/{name}/api/version?token=hush", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    spans = api.http.get("/api/tracing/spans", params={"trace_id": trace}).json()["spans"]
    assert [(span["service"], span["status"], span["error"]) for span in spans] == [
        ("away", 503, "upstream_unreachable"),
        ("here", 404, ""),
    ]
    assert {(span["parent_id"], span["method"], span["path"]) for span in spans} == {
        ("b7ad6b7169203331", "GET", "/api/version")
    }
    assert spans[1]["ms"] >= spans[1]["first_ms"] > 0
    assert spans[1]["span_id"] == behind.seen[-1][2]["traceparent"].split("-")[2]
    stats = api.http.get("/api/tracing/stats").json()
    assert stats["services"]["away"]["errors"] == stats["services"]["away"]["requests"] >= 1
    assert stats["seen"] >= stats["kept"] >= 2
    assert error_of(api.http.get("/api/tracing/spans?limit=0"), 422)["code"] == "invalid_request"


def test_a_span_is_open_until_the_answer_has_ended(api: Running, endpoints: Path, behind: Upstream) -> None:
    publish(endpoints, slow=int(behind.url.rpartition(":")[2]))
    behind.pause = True
    path = "/api/tracing/spans?service=slow"
    with api.http.stream("POST", "/slow/api/generate", json={"model": "tiny:latest", "prompt": "hi"}) as response:
        parts = response.iter_raw()  # kept: the connection is closed with it
        next(parts)
        assert api.http.get(path).json()["spans"] == []
    eventually(lambda: api.http.get(path).json()["spans"], within=5, what="the span")


def test_sigterm_ends_open_event_streams(tmp_path: Path) -> None:
    with service("api_server", PORTSUP_ENDPOINTS=str(tmp_path / "none.endpoints.json")) as api:
        told = everything_told(api)
        next(told)
        api.process.terminate()
        assert [kind for kind, _ in told] == ["error"]
        assert api.process.wait(15) == 0
        assert "Traceback" not in api.output()
