"""Programs on standard input and output, as they are written."""

import sys

import pytest

from supervisor.config import stdio
from supervisor.config.show import resolved
from supervisor.config.spec import Share, Stdio
from supervisor.errors import install
from tests.config.conftest import Loading, Mistakes


def service(text: str, more: str = "pool: 8000-8002, ") -> str:
    return f"services: {{a: {{command: [x, y], {more}stdio: {text}}}}}"


def test_a_program_is_run_by_what_serves_it(loading: Loading) -> None:
    assert loading(service("mcp")).services["a"].stdio == Stdio()
    stack = loading(service("{mcp: true, share: per-session, max: 3}", "pool: 8000-8002, port_env: P, "))
    assert stack.services["a"].stdio == Stdio(True, Share.PER_SESSION, 3)
    bridge = (sys.executable, "-m", "supervisor.mcp.bridge", "per-session", "3", "P", "--", "x", "y")
    assert stack.services["a"].program == bridge
    shown = resolved(stack)["services"]["a"]
    assert (shown["command"], shown["stdio"]) == (["x", "y"], {"mcp": True, "share": "per-session", "max": 3})


def test_a_number_of_sessions_without_sessions_is_a_warning(loading: Loading) -> None:
    (warning,) = loading(service("{mcp: true, max: 3}")).warnings
    assert "one program serves all clients, however many" in warning


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (service("mcp", ""), "there is no `pool`"),
        (service("mcp", "one_shot: true, "), "a `one_shot` is no server"),
        (service("{share: one}"), "needs `mcp`"),
        (service("http"), "`http` is not one of mcp"),
        (service("mcp", "pool: 8000-8002, stdin: open, "), "leave `stdin` out"),
        (service("mcp", "pool: 8000-8002, handoff: systemd, "), "portsup itself listens"),
    ],
)
def test_what_does_not_go_together_is_a_mistake(mistakes: Mistakes, text: str, words: str) -> None:
    assert any(words in mistake for mistake in mistakes(text)), mistakes(text)


def test_a_missing_extra_is_a_mistake_that_tells_the_command(mistakes: Mistakes,
                                                             monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(stdio, "find_spec", lambda name: None)
    assert mistakes(service("mcp")) == [
        f"1:50 services.a.stdio: the package `mcp` is not installed (`{install('mcp')}`)"
    ]
