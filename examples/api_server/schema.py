"""What the API answers, for the OpenAPI document."""

from typing import Any

from pydantic import BaseModel


class ErrorBody(BaseModel):
    code: str
    message: str
    type: str


class ErrorAnswer(BaseModel):
    error: ErrorBody


class ServiceView(BaseModel):
    """One service: `state` is portsup's word, `health` what the service itself answered just now."""

    name: str
    url: str | None
    port: int | None
    pool: list[int]
    state: str | None
    pid: int | None
    restarts: int | None
    source: str
    health: str
    checks: dict[str, Any]
    reason: str
    ms: float | None


class Services(BaseModel):
    services: list[ServiceView]


class Aggregated(BaseModel):
    """`ok` when every service is, `down` when none answers but this one, else `degraded`."""

    status: str
    ok: int
    degraded: int
    down: int
    services: dict[str, ServiceView]


class PoolPort(BaseModel):
    port: int
    state: str
    holder: str | None  # who has it, where that is somebody else


class Ports(BaseModel):
    name: str
    port: int | None
    pool: list[PoolPort]


class AllPorts(BaseModel):
    source: str
    services: list[Ports]


class SpanView(BaseModel):
    """One request through the gateway; `ms` until the end of the answer, `first_ms` until its beginning."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    method: str
    path: str
    started: float
    status: int
    error: str
    first_ms: float
    ms: float


class Traced(BaseModel):
    spans: list[SpanView]


class ServiceTimes(BaseModel):
    """`errors` are answers of 500 and more, ours for the service included."""

    requests: int
    errors: int
    p50_ms: float
    p95_ms: float
    max_ms: float


class TraceStats(BaseModel):
    """`services` is about the spans that are kept, `seen` counts all."""

    seen: int
    kept: int
    limit: int
    services: dict[str, ServiceTimes]
