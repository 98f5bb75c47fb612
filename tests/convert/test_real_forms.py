"""Forms that files of well-known projects have, each in words of its own."""

from collections.abc import Callable

import pytest

from supervisor.config.spec import Restart
from supervisor.convert.recognise import convert, kind_of
from supervisor.errors import PortsupError
from tests.convert.conftest import Converted

Convert = Callable[..., Converted]


# all


def test_a_hook_that_names_no_program_is_left_out(converted: Convert) -> None:
    text = "services: {web: {command: ./web, pre_stop: [{command: $DRAIN}], post_start: [{command: ./warm}]}}"
    result = converted("compose", text)
    assert [hook.value for hook in result.stack.services["web"].hooks] == ["post_start"]
    assert "`pre_stop`: its command names no program" in result.left["web"]


# supervisord


def test_copies_of_a_number_outside_the_file_are_said(converted: Convert) -> None:
    result = converted("supervisord", "[program:w]\ncommand=w\nnumprocs=%(ENV_HOW_MANY)s\n")
    assert list(result.stack.services) == ["w"]
    assert "`numprocs=%(ENV_HOW_MANY)s` of `w`: the number of copies is not known here" in result.left_of_file


def test_what_supervisord_itself_gives_its_programs_is_said(converted: Convert) -> None:
    text = "[supervisord]\nminfds=5000\nminprocs=200\nuser=root\n[program:w]\ncommand=w\n[group:g]\nprograms=w,x\n"
    left = converted("supervisord", text).left_of_file
    assert "`minfds=5000` of `[supervisord]`" in left
    assert "`user=root` of `[supervisord]`" in left
    assert "`portsup restart w x`" in left
    assert "minprocs" not in left, "that is its default"


def test_keys_of_a_program_that_change_nothing_here_are_said(converted: Convert) -> None:
    settings = "startsecs=10\nserverurl=http://a\nstdout_capture_maxbytes=1MB\ndepends_on=x\npriority=999"
    left = converted("supervisord", f"[program:w]\ncommand=w\n{settings}\nstderr_syslog=False\n").left["w"]
    for key in ("startsecs=10", "serverurl=http://a", "stdout_capture_maxbytes=1MB", "depends_on"):
        assert f"`{key}`" in left
    assert "priority" not in left
    assert "stderr_syslog" not in left


# pm2


def test_a_literal_of_javascript_is_read_as_pm2_does(converted: Convert) -> None:
    text = """// how to start
    { apps : [{ name:'api', script: "./api.js", /* all */ instances: 0, watch: false, autorestart: false,
        env: {URL: 'http://a//b', "N": 1,}, }, {script: 'b.sh'}],
    }"""
    assert kind_of("settings.json", text) == "pm2"
    result = converted("pm2", text)
    api = result.stack.services["api"]
    assert (api.command, api.restart_policy.restart) == (("node", "./api.js"), Restart.NEVER)
    assert dict(api.environment) == {"URL": "http://a//b", "N": "1"}
    assert result.left["api"].startswith("`instances: 0`: a service is one process")
    assert "watch" not in result.left["api"]
    assert result.stack.services["b"].command == ("bash", "b.sh")


@pytest.mark.parametrize("value", ["['a', 'b'].join('')", "process.env.SCRIPT", "'a' + 'b'", "`a`", "a"])
def test_javascript_that_has_to_be_run_is_refused(value: str) -> None:
    with pytest.raises(PortsupError, match="no JSON"):
        convert("pm2", "process.json", f"{{apps: [{{script: {value}}}]}}")


def test_other_names_of_pm2_for_its_keys_are_known(converted: Convert) -> None:
    text = '{"apps": [{"exec": "a.py", "cron": "0 3 * * *", "out_log": "o", "pid": "p", "exec_mode": "cluster"}]}'
    result = converted("pm2", text)
    assert result.stack.services["a"].command == ("python3", "a.py")
    for key in ("cron_restart", "out_file", "pid_file", "exec_mode: cluster"):
        assert f"`{key}`" in result.left["a"]
    assert "instances" not in result.left["a"]
