"""`one_shot`: what a job can say, and what makes no sense for one."""

from supervisor.config.show import resolved
from supervisor.config.spec import ProbeKind, Ready

from .conftest import Loading, Mistakes


def test_a_job_has_no_limit_but_the_one_it_is_given(loading: Loading) -> None:
    text = "services: {a: {command: a, one_shot: true}, b: {command: b, one_shot: true, ready: {timeout: 5m}}}"
    stack = loading(text)
    assert [each.ready.timeout for each in stack.services.values()] == [0.0, 300.0]
    shown = resolved(stack)["services"]
    assert "ready" not in shown["a"]
    assert shown["b"]["ready"] == {"timeout": 300.0}
    (not_one,) = loading("services: {a: {command: a, one_shot: false}}").services.values()
    assert (not_one.ready.probe.kind, not_one.ready.timeout) == (ProbeKind.STARTED, Ready().timeout)


def test_what_only_servers_have_is_told(mistakes: Mistakes) -> None:
    job = "services:\n  a:\n    command: a\n    one_shot: true\n    "
    server = "a `one_shot` is no server, it is over when its work is done (remove one of the two)"
    assert mistakes(job + "pool: 6000-6002") == [f"5:5 services.a.pool: {server}"]
    assert mistakes(job + "watchdog: 3") == [f"5:5 services.a.watchdog: {server}"]
    assert mistakes(job + "restart: always") == [
        "5:14 services.a.restart: a `one_shot` with `always` never ends (use `on-failure` or `never`)"
    ]
    told = "says nothing (leave it out; `timeout` alone says how long the job may take)"
    ready = "services.a.ready: a `one_shot` is ready when it has exited with 0, so"
    assert mistakes(job + "ready: started") == [f"5:12 {ready} `started` {told}"]
    assert mistakes(job + "ready: {timeout: 3, log: x}") == [f"5:25 {ready} `log` {told}"]
