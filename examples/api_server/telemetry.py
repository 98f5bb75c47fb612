"""Spans of the gateway for OpenTelemetry, where somebody is named who collects them.

`OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) says where; every other variable of the
OpenTelemetry SDK counts as well. The ids are those of `traceparent`, so the spans of programs before and behind the
gateway are in the same trace.
"""

import logging
from collections.abc import Callable

from examples import __version__
from examples.api_server.tracing import Span
from examples.service import setting

log = logging.getLogger("api-server")
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def exporter(name: str) -> tuple[Callable[[Span], None], Callable[[], None]] | None:
    """What takes a span that has ended, and what sends the rest at the end; None where nobody collects them.

    Without the packages of the extra `otel` nothing is sent, and a warning says so.
    """
    if not any(setting(variable) for variable in ENDPOINTS) or setting("OTEL_SDK_DISABLED").lower() == "true":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags
    except ImportError:
        log.warning("OTEL_EXPORTER_OTLP_ENDPOINT is set, but the extra `otel` is not installed: no spans are sent")
        return None
    own = {SERVICE_VERSION: __version__, **({} if setting("OTEL_SERVICE_NAME") else {SERVICE_NAME: name})}
    resource = Resource.create(own)
    processor = BatchSpanProcessor(OTLPSpanExporter())

    def context(trace: str, span: str, flags: str, *, remote: bool) -> SpanContext:
        return SpanContext(int(trace, 16), int(span, 16), is_remote=remote, trace_flags=TraceFlags(int(flags, 16) & 1))

    def take(span: Span) -> None:
        begin = int(span.started * 1e9)
        facts: dict[str, str | int] = {
            "http.request.method": span.method,
            "url.path": span.path,
            "http.response.status_code": span.status,
            "peer.service": span.service,
        }
        if span.error:
            facts["error.type"] = span.error
        parent = context(span.trace_id, span.parent_id, span.flags, remote=True) if span.parent_id else None
        is_error = bool(span.error) or span.status >= 500
        processor.on_end(
            ReadableSpan(
                name=f"{span.method} /{span.service}",
                context=context(span.trace_id, span.span_id, span.flags, remote=False),
                parent=parent,
                resource=resource,
                attributes=facts,
                kind=SpanKind.SERVER,
                status=Status(StatusCode.ERROR if is_error else StatusCode.UNSET),
                start_time=begin,
                end_time=begin + int(span.ms * 1e6),
            )
        )

    return take, processor.shutdown
