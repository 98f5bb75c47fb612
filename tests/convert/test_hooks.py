"""Hooks, commands that stop a service, and exit codes that mean success, of those who have them."""

from collections.abc import Callable

from supervisor.config.spec import Hook, HookCommand, Restart
from supervisor.core.limits import UNLIMITED
from tests.convert.conftest import Converted

Convert = Callable[..., Converted]


def test_hooks_of_compose_are_carried_over(converted: Convert) -> None:
    result = converted("compose")
    tuned = result.stack.services["hooked"]
    assert {hook: each.command for hook, each in tuned.hooks.items()} == {
        Hook.POST_START: ("sh", "-c", "echo 'two words' && env A=1 ./warm-up"),
        Hook.PRE_STOP: ("./drain", "--now"),
    }
    assert "`user` of `post_start`" in result.left["hooked"]
    job = result.stack.services["migrate"]
    assert (job.one_shot, dict(job.hooks)) == (True, {})
    assert "`pre_stop`: a job is over when it is ready" in result.left["migrate"]


def test_a_command_that_stops_a_process_is_carried_over_with_its_time(converted: Convert) -> None:
    postgres = converted("process-compose", PLACE="/here").stack.services["postgres"]
    assert postgres.stop_command == HookCommand(("rm", "-f", "lock"))
    assert postgres.stop_grace_period == 8.0, "half of it is for the command"


def test_exit_codes_that_mean_success_are_carried_over(converted: Convert) -> None:
    assert converted("supervisord").stack.services["screen"].success_exit_codes == {0, 2}
    api = converted("pm2").stack.services["shell"]
    assert (api.success_exit_codes, api.restart_policy.restart) == (frozenset((0, 75)), Restart.ON_FAILURE)
    assert "`stop_exit_codes` without 0: 0 always means success" in converted("pm2").left["shell"]


def test_a_loop_that_waits_in_a_unit_is_when_the_service_is_ready(converted: Convert) -> None:
    unit = """
[Service]
ExecStart=/usr/bin/server --port 8400
ExecStartPost=/bin/sh -c 'until curl -sf http://localhost:8400/health; do sleep 1; done'
ExecStartPost=/usr/bin/announce
TimeoutStartSec=20
LimitCPU=1min
LimitCORE=infinity
LimitSTACK=8M:infinity
LimitNOFILE=4
"""
    [service] = converted("systemd", unit).stack.services.values()
    assert (service.ready.probe.kind, service.ready.probe.target, service.ready.timeout) == ("http", "/health", 20.0)
    assert {hook: each.command for hook, each in service.hooks.items()} == {Hook.POST_START: ("/usr/bin/announce",)}
    assert service.limits == {"cpu_time": 60, "core": UNLIMITED, "stack": 8 * 1024**2}


def test_a_unit_without_a_loop_keeps_its_hooks(converted: Convert) -> None:
    unit = "[Service]\nExecStart=/bin/a\nExecStartPost=/bin/sh -c 'while true; do sleep 1; done'\n"
    [service] = converted("systemd", unit).stack.services.values()
    assert service.ready.probe.kind == "started"
    assert Hook.POST_START in service.hooks
