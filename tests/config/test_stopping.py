"""Who of a service is asked to end, and what it reads from its standard input."""

from pathlib import Path

import pytest

from supervisor.config.difference import difference
from supervisor.config.show import resolved
from supervisor.config.spec import Stdin, StopTo

from .conftest import Loading, Mistakes


@pytest.mark.parametrize(
    ("written", "number", "to"),
    [
        ("INT", 2, StopTo.GROUP),
        ("{signal: INT}", 2, StopTo.GROUP),
        ("{signal: TERM, to: main}", 15, StopTo.MAIN),
        ("{to: main}", 15, StopTo.MAIN),
        ("{to: group, signal: 3}", 3, StopTo.GROUP),
    ],
)
def test_a_signal_is_for_the_group_or_for_the_main_process(
    loading: Loading, written: str, number: int, to: StopTo
) -> None:
    stack = loading(f"services: {{a: {{command: a, stop_signal: {written}}}}}")
    assert (stack.services["a"].stop_signal, stack.services["a"].stop_to) == (number, to)
    shown = resolved(stack)["services"]["a"]["stop_signal"]
    assert (shown if isinstance(shown, str) else shown["to"]) in ("SIGINT", "SIGQUIT", "main")
    again = loading(f"services: {{a: {{command: a, stop_signal: {shown}}}}}".replace("'", '"'))
    assert (again.services["a"].stop_signal, again.services["a"].stop_to) == (number, to)


def test_what_systemd_calls_it_is_understood(mistakes: Mistakes) -> None:
    text = "services:\n  a:\n    command: a\n    stop_signal: {signal: TERM, to: mixed}"
    assert mistakes(text) == ["4:37 services.a.stop_signal.to: `mixed` is not one of group, main (write `main`)"]
    text = "services:\n  a:\n    command: a\n    stop_signal: {kill_mode: main}"
    assert mistakes(text) == ["4:19 services.a.stop_signal: unknown key `kill_mode` (write `to: main`)"]


def test_whom_to_ask_takes_effect_without_a_restart_and_another_stdin_does_not(loading: Loading) -> None:
    before = loading("services: {a: {command: a}}")
    (change,) = difference(before, loading("services: {a: {command: a, stop_signal: {to: main}}}")).changed
    assert (change.keys, change.restarts) == (("stop_signal",), False)
    (change,) = difference(before, loading("services: {a: {command: a, stdin: open}}")).changed
    assert (change.keys, change.restarts) == (("stdin",), True)


@pytest.mark.parametrize(
    ("written", "stdin"), [("null", Stdin.NULL), ("'null'", Stdin.NULL), ("~", Stdin.NULL), ("open", Stdin.OPEN)]
)
def test_standard_input_is_null_or_open(loading: Loading, written: str, stdin: Stdin) -> None:
    assert loading(f"services: {{a: {{command: a, stdin: {written}}}}}").services["a"].stdin is stdin


def test_a_file_laid_over_another_may_close_it_again(loading: Loading, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("services: {a: {command: a, stdin: open, stop_signal: {to: main}}}")
    stack = loading("services: {b: {extends: {file: base.yaml, service: a}, stdin: null, stop_signal: {signal: INT}}}")
    service = stack.services["b"]
    assert (service.stdin, service.stop_signal, service.stop_to) == (Stdin.NULL, 2, StopTo.MAIN)
