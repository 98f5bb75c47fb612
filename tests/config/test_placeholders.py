"""Placeholders are found at load and filled at spawn."""

import pytest

from supervisor.config.placeholders import fill, look_alikes, mistakes
from supervisor.errors import PortsupError

ENDPOINTS = {"web": 8001, "my-api": 9000}


def filled(text: str) -> str:
    return fill(text, port=6000, host="127.0.0.1", instance=2, endpoints=ENDPOINTS)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("no braces", "no braces"),
        ("--port={port}", "--port=6000"),
        ("{host}:{port}/{instance}", "127.0.0.1:6000/2"),
        ("{port:web} {url:my-api}/x", "8001 http://127.0.0.1:9000/x"),
        ("{{port}} {{url:web}} {{prot}}", "{port} {url:web} {prot}"),
        ('{"port": 1, "a": {"b": []}}', '{"port": 1, "a": {"b": []}}'),
        (
            "awk '{print}' {name} {{name}} {a,b} {} { port } {port",
            "awk '{print}' {name} {{name}} {a,b} {} { port } {port",
        ),
    ],
)
def test_only_exact_placeholders_are_filled(text: str, result: str) -> None:
    assert filled(text) == result


def test_a_port_that_is_not_known_is_an_error_and_not_a_hole() -> None:
    with pytest.raises(PortsupError, match="the port of `gone` is not known"):
        filled("{port:gone}")
    with pytest.raises(PortsupError, match="the service has no port"):
        fill("{port}", port=None, host="h", instance=1, endpoints={})


def test_the_descriptor_of_the_socket_is_filled_in_where_there_is_one() -> None:
    assert fill("--fd {fd}", port=6000, host="h", instance=1, endpoints={}, fd=3) == "--fd 3"
    assert list(mistakes("--fd {fd}", has_port=True, services={}, has_fd=True)) == []
    with pytest.raises(PortsupError, match="the service gets no socket"):
        filled("{fd}")


@pytest.mark.parametrize(
    ("text", "offset", "reason", "hint"),
    [
        ("x {port:wbe}", 2, "`{port:wbe}`: there is no service `wbe`", "did you mean `web`?"),
        ("{url:zzz}", 0, "`{url:zzz}`: there is no service `zzz`", "services: web, job"),
        ("{url:job}", 0, "`{url:job}`: service `job` has no `pool`, so it has no port", ""),
        ("{url}", 0, "`{url}` names no service", "write `{url:NAME}`"),
        ("{port:}", 0, "`{port:}` names no service", "write `{port:NAME}`"),
        ("{fd}", 0, "`{fd}` is the socket of a service with `handoff: systemd`", "give it that, or use `{port}`"),
        ("{prot}", 0, "`{prot}` is not a placeholder",
         "did you mean `{port}`? For the characters themselves write `{{prot}}`"),
        ("{Port:web}", 0, "`{Port:web}` is not a placeholder",
         "did you mean `{port:web}`? For the characters themselves write `{{Port:web}}`"),
        ("{instnce}", 0, "`{instnce}` is not a placeholder",
         "did you mean `{instance}`? For the characters themselves write `{{instnce}}`"),
    ],
)  # fmt: skip
def test_a_placeholder_that_can_not_be_filled_is_told(text: str, offset: int, reason: str, hint: str) -> None:
    found = list(mistakes(text, has_port=True, services={"web": True, "job": False}))
    assert found == [(offset, reason, hint)]


@pytest.mark.parametrize("text", ["{print}", "{name}", '{"a":1}', "{a,b}", "{{prot}}", "{PORT_X}", "{key:value}"])
def test_braces_of_somebody_else_are_left_alone(text: str) -> None:
    assert list(mistakes(text, has_port=True, services={})) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x {port.db} y", (2, "{port.db}", "{port:db}")),
        ("http://h:{my-api.port}/", (9, "{my-api.port}", "{port:my-api}")),
        ("{web:url}", (0, "{web:url}", "{url:web}")),
        ("--port={{ port }}", (7, "{{ port }}", "{port}")),
    ],
)
def test_what_is_likely_meant_as_a_placeholder_is_found(text: str, found: tuple[int, str, str]) -> None:
    assert list(look_alikes(text, {"db", "web", "my-api"})) == [found]
    assert filled(text) == text


def test_each_of_them_is_told_once_in_a_text() -> None:
    found = list(look_alikes("{db.port} {db:url} {db.port} {port.db}" * 3, {"db"}))
    assert [(offset, text) for offset, text, _ in found] == [(0, "{db.port}"), (10, "{db:url}"), (29, "{port.db}")]


@pytest.mark.parametrize(
    "text", ["{port}", "{port:db}", "{other.port}", "{{db.port}}", '{"db": {"port": 1}}', "{{port}}", ""]
)
def test_what_is_a_placeholder_or_of_somebody_else_is_none(text: str) -> None:
    assert list(look_alikes(text, {"db"})) == []
