"""How a probe asks by HTTP: what the mapping means, what is wrong in it, and what is not shown of it."""

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from supervisor.config.load import load
from supervisor.config.schema import schema
from supervisor.config.show import resolved
from supervisor.config.spec import HttpAsk, Probe, ProbeKind

from .conftest import Loading, Mistakes

TEXT = """
services:
  web:
    command: web
    pool: 8000-8002
    ready: {http: /plain}
    healthcheck:
      http:
        path: /health?port={port}
        method: POST
        headers: {Authorization: "Bearer ${TOKEN}", X-From: "{instance}", Cookie: session=abcdef}
        status: [200, 204, 300-302]
        contains: ok
        matches: 'db: \\w+'
"""


def test_a_mapping_says_what_is_sent_and_which_answers_are_good(loading: Loading, tmp_path: Path) -> None:
    stack = loading(TEXT, {"TOKEN": "topsecret"})
    web = stack.services["web"]
    assert web.ready.probe == Probe(ProbeKind.HTTP, "/plain")
    assert web.healthcheck is not None
    sent = (("Authorization", "Bearer topsecret"), ("X-From", "{instance}"), ("Cookie", "session=abcdef"))
    good = (range(200, 201), range(204, 205), range(300, 303))
    ask = HttpAsk("POST", sent, good, "ok", "db: \\w+")
    assert web.healthcheck.probe == Probe(ProbeKind.HTTP, "/health?port={port}", ask=ask)
    jsonschema.Draft202012Validator(schema()).validate(yaml.safe_load(TEXT))
    told = json.dumps(resolved(stack))
    assert "topsecret" not in told
    assert "abcdef" not in told
    assert {"topsecret", "session=abcdef"} <= stack.secrets
    assert "Bearer" not in stack.secrets
    again = tmp_path / "again.yaml"
    again.write_text(json.dumps(resolved(stack, reveal=True)))
    assert load(again, {}, ephemeral=()).services["web"].healthcheck == web.healthcheck


@pytest.mark.parametrize(
    ("http", "problem"),
    [
        ("{method: GET}", "services.w.ready.http has no `path`"),
        ("{path: health}", "`health` is not a path of an HTTP request"),
        ("{path: /, method: get}", "is not one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS (write `GET`)"),
        ("{path: /, status: 2xx}", "`2xx` is no status of HTTP: 200, or a range such as 200-299 (write 200-299)"),
        ("{path: /, status: [200, 600]}", "services.w.ready.http.status[1]: `600` is out of order"),
        (
            "{path: /, status: }",
            "http.status: expected a status such as 200, or a range such as 200-299, found nothing",
        ),
        (
            "{path: /, status: []}",
            "http.status: expected a status such as 200, or a range such as 200-299, found a list",
        ),
        ("{path: /, headers: [A]}", "http.headers: expected a mapping of names to texts, found a list"),
        ("{path: /, headers: {A b: c}}", "`A b` is not the name of a header"),
        ("{path: /, headers: {connection: close}}", "`connection` is set by portsup"),
        ("{path: /, headers: {A: b, a: c}}", "`a` is there already"),
        ("{path: /, headers: {A: [b]}}", "http.headers.A: expected a text, found a list"),
        ('{path: /, headers: {A: "b\\r\\nC: d"}}', "http.headers.A: a header is one line without control characters"),
        ("{path: /, headers: {A: '{prot}'}}", "services.w.ready.http.headers.A: `{prot}` is not a placeholder"),
        ("{path: /, matches: '('}", "`(` is not a regular expression"),
        ("{path: /, method: HEAD, contains: a}", "http.contains: an answer to HEAD has no body"),
        ("{path: /, status_code: 200}", "unknown key `status_code` (write `status: 200`)"),
        ("[/]", "services.w.ready.http: expected a path such as /health, found a list"),
    ],
)
def test_what_is_wrong_is_told(mistakes: Mistakes, http: str, problem: str) -> None:
    found = mistakes(f"services: {{w: {{command: a, pool: 8000-8002, ready: {{http: {http}}}}}}}")
    assert any(problem in each for each in found), found


def test_a_path_and_a_mapping_are_merged(tmp_path: Path) -> None:
    base, over = tmp_path / "services.yaml", tmp_path / "over.yaml"
    base.write_text(TEXT)
    text = "services: {web: {ready: {http: {status: 204}}, healthcheck: {http: /new}}}"
    over.write_text(text)
    web = load(base, {"TOKEN": "x"}, over=[over], ephemeral=()).services["web"]
    assert web.ready.probe == Probe(ProbeKind.HTTP, "/plain", ask=HttpAsk(status=(range(204, 205),)))
    assert web.healthcheck is not None
    assert web.healthcheck.probe.target == "/new"
    assert web.healthcheck.probe.ask is not None
    assert web.healthcheck.probe.ask.method == "POST"
