"""Hooks, commands that stop a service, and exit codes that mean success, of those who have them."""

from collections.abc import Callable

from supervisor.config.spec import Hook, HookCommand, Restart
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
