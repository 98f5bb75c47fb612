"""What the gateway of the API Server tells of itself: figures for Prometheus, and spans for OpenTelemetry."""

import gzip
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.examples.running import Running, error_of, service
from tests.examples.stranger import Stranger, stranger
from tests.examples.test_api_server import publish
from tests.support.eventually import eventually
from tests.support.needed import need
from tests.support.ports import free_port

pytestmark = pytest.mark.live
TOKEN = "a-token-of-the-tests"


@pytest.fixture(scope="module")
def odd() -> Iterator[Stranger]:
    with stranger() as state:
        yield state


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, odd: Stranger) -> Iterator[Running]:
    path = tmp_path_factory.mktemp("gateway") / "endpoints.json"
    publish(path, odd=int(odd.url.rpartition(":")[2]), gone=free_port())
    with service("api_server", API_TOKEN=TOKEN, PORTSUP_ENDPOINTS=str(path)) as running:
        running.http.headers["authorization"] = f"Bearer {TOKEN}"
        yield running


def test_figures_of_the_gateway_are_for_prometheus(gateway: Running, odd: Stranger) -> None:
    def figures() -> dict[tuple[str, ...], float]:
        text = gateway.http.get("/metrics").text
        families = list(text_string_to_metric_families(text))
        return {
            (sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples
        }

    assert error_of(httpx2.get(f"{gateway.url}/metrics", trust_env=False), 401)
    before = figures()
    odd.will(b"HTTP/1.1 503 Away\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    gateway.http.get("/odd/a")
    gateway.http.get("/gone/x")
    key = ("gateway_requests_total", "GET", "odd", "503")
    eventually(lambda: figures().get(key, 0) == before.get(key, 0) + 1, within=5, what="the count")
    after = figures()
    assert after["gateway_request_seconds_count", "odd"] >= 1
    assert after["gateway_errors_total", "upstream_unreachable", "gone"] >= 1
    assert after["gateway_running", "odd"] == 0


def test_spans_go_to_whoever_collects_them(odd: Stranger, tmp_path: Path) -> None:
    need(find_spec("opentelemetry.sdk"), "OpenTelemetry's SDK", "`sh .ci/setup.sh stack,dev` installs it")
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    sent: list[ExportTraceServiceRequest] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            body = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
            sent.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    path = tmp_path / "endpoints.json"
    publish(path, odd=int(odd.url.rpartition(":")[2]), gone=free_port())
    collector = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        with service(
            "api_server", PORTSUP_ENDPOINTS=str(path), OTEL_EXPORTER_OTLP_ENDPOINT=collector, NO_PROXY="*"
        ) as plain:
            odd.will(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
            trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
            headers = {"traceparent": f"00-{trace}-{parent}-01"}
            assert plain.http.get("/odd/a?secret=1", headers=headers).text == "ok"
            assert plain.http.get("/gone/b").status_code == 503
            assert plain.http.get("/odd/c", headers={"traceparent": f"00-{trace}-{parent}-00"}).status_code == 200
            assert plain.terminate() == 0  # which sends what waits
    finally:
        server.shutdown()
        server.server_close()
    scopes = [scope for one in sent for resource in one.resource_spans for scope in resource.scope_spans]
    spans = [span for scope in scopes for span in scope.spans]
    assert len(spans) == 2  # the third was not to be kept
    first, second = spans
    assert (first.name, first.trace_id.hex(), first.parent_span_id.hex()) == ("GET /odd", trace, parent)
    facts = {fact.key: fact.value.string_value or fact.value.int_value for fact in first.attributes}
    assert (facts["url.path"], facts["http.response.status_code"]) == ("/a", 200)
    assert first.end_time_unix_nano >= first.start_time_unix_nano
    assert {fact.key: fact.value.string_value for fact in second.attributes}["error.type"] == "upstream_unreachable"
    resource = {fact.key: fact.value.string_value for fact in sent[0].resource_spans[0].resource.attributes}
    assert resource["service.name"] == "api-server"


def test_without_a_collector_the_sdk_is_not_even_loaded(gateway: Running) -> None:
    maps = Path(f"/proc/{gateway.process.pid}/maps")
    if not maps.exists():
        pytest.skip("looks into /proc")
    assert "opentelemetry/sdk" not in maps.read_text()
    assert gateway.http.get("/health").status_code == 200
