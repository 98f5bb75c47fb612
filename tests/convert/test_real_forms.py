"""Forms that files of well-known projects have, each in words of its own."""

from collections.abc import Callable

import pytest

from supervisor.config.spec import Restart
from supervisor.convert.recognise import convert, kind_of
from supervisor.errors import PortsupError
from tests.convert.conftest import Converted

Convert = Callable[..., Converted]


# compose


def test_ports_that_are_not_one_number_of_tcp_are_said(converted: Convert) -> None:
    text = """
    services:
      dns: {command: ./dns, ports: ["5353:53/udp", {target: 54, protocol: udp}]}
      many: {command: ./many, ports: ["3000-3005:3000-3005", "${WHERE}:4000", "127.0.0.1:${AT:-4100}:4100/tcp"]}
    """
    result = converted("compose", text)
    assert result.stack.services["dns"].pool == ()
    assert "`ports`: 5353:53/udp: a pool has ports of TCP" in result.left["dns"]
    assert "`ports`: 54/udp" in result.left["dns"]
    assert result.stack.services["many"].pool[0] == 4000
    assert "`ports`: 3000-3005:3000-3005: that is not one known number" in result.left["many"]
    assert "`ports`: ${WHERE}:4000: that is not one known number" in result.left["many"]
    assert "`ports`: 4100: a service has one port" in result.left["many"]


@pytest.mark.parametrize(
    ("variable", "is_host"),
    [
        ("DB_HOST: store", True),
        ("DATABASE_HOST: store", True),
        ("SEARCH: '${WHERE:-store}'", True),
        ("URL: '${URL:-http://store:9}'", True),
        ("NODES: 'other:1,store:2'", True),
        ("DSN: 'host=store user=a'", True),
        ("DB_HOST: box", True),
        ('CONFIG: "to {\\n  proxy store:9\\n}"', True),
        ("DB_USER: store", False),
        ("CACHE_DRIVER: store", False),
        ("DB_HOST: storehouse", False),
        ("TEXT: 'the store'", False),
    ],
)
def test_names_of_services_as_hosts_in_variables_are_said(converted: Convert, variable: str, is_host: bool) -> None:
    text = (
        f"services: {{web: {{command: ./web, environment: {{{variable}}}}}, store: {{image: a, container_name: box}}}}"
    )
    left = converted("compose", text).left["web"]
    assert ("in the variable" in left) is is_host
    assert "{url:" not in left, "the store is not in the result, so nothing can be put there"


@pytest.mark.parametrize(
    ("command", "is_host"),
    [
        ("sh -c 'until nc -z </dev/tcp/store/9; do sleep 1; done; ./web'", True),
        ("./web --db-host store", True),
        ("./web --db=store:9", True),
        ("./web http://store/a", True),
        ("./web store", False),
        ("./web restore:9 --host storehouse", False),
    ],
)
def test_names_of_services_as_hosts_in_commands_are_said(converted: Convert, command: str, is_host: bool) -> None:
    text = f'services: {{web: {{command: "{command}"}}, store: {{command: ./store, expose: ["9999"]}}}}'
    result = converted("compose", text)
    assert ("`store` in the command" in result.text) is is_host
    assert ("127.0.0.1" in " ".join(result.stack.services["web"].command)) is is_host


def test_parts_of_a_service_of_compose_without_a_place_here_are_said(converted: Convert) -> None:
    text = """
    services:
      web:
        build: {context: ./web, target: dev, args: {A: "1"}}
        image: ${IMAGE:?no image}
        command: serve
        working_dir: /srv
        env_file: [{path: a.env, format: raw}]
        healthcheck: {test: [CMD, see], interval: $EVERY, retries: 4, start_interval: 1s}
        logging: {driver: syslog, options: {max-size: 10m, tag: web}}
        deploy: {restart_policy: {condition: on-failure, delay: 5s, window: 60s}}
    """
    result = converted("compose", text)
    for said in (
        "`build`: target, args: nothing is built",
        "install what has `serve`, and if the image has an entrypoint write that before it",
        "`format` of `a.env`",
        "`interval: $EVERY` of the health check",
        "`start_interval` of the health check",
        "`logging`: driver: syslog, tag",
        "`deploy.restart_policy.window: 60s`",
    ):
        assert said in result.left["web"]
    assert "retries" not in result.left["web"]
    assert "IMAGE:?" not in result.left["web"].replace("`image: ${IMAGE:?no image}`", ""), "nothing here uses it"
    assert "its `working_dir` was `/srv` in the container" in " ".join(result.text.replace("#", "").split())
    assert result.stack.services["web"].restart_policy.delay == 5.0


def test_what_compose_starts_always_or_never_does_so_here(converted: Convert) -> None:
    text = """
    services:
      always: {command: ./a, profiles: ["", other]}
      never: {command: ./b, deploy: {replicas: 0}}
      none: {command: ./c, scale: 0}
      odd: {command: ./d, profiles: [one two, fine]}
    """
    result = converted("compose", text)
    services = result.stack.services
    assert (services["always"].profiles, services["odd"].profiles) == ((), ("fine",))
    assert "`profiles`: other: an empty one is among them" in result.left["always"]
    assert "`profiles`: one two: services.yaml does not take that" in result.left["odd"]
    assert (services["never"].autostart, services["none"].autostart) == (False, False)
    assert (result.left["never"], result.left["none"]) == ("", "")


# process-compose


def test_settings_of_process_compose_for_all_processes_are_said(converted: Convert) -> None:
    text = """
    version: "0.5"
    log_location: all.log
    log_configuration: {rotation: {max_size_mb: 1}}
    is_strict: true
    shapes: &a {restart: always}
    processes: {a: {command: ./a, availability: *a}}
    """
    left = converted("process-compose", text).left_of_file
    for key in ("log_location", "log_configuration", "shapes"):
        assert f"`{key}`" in left
    assert "version" not in left
    assert "is_strict" not in left


def test_who_waits_for_a_process_of_many_copies_waits_for_each(converted: Convert) -> None:
    text = """
    processes:
      all: {command: ./all, depends_on: {one: {condition: process_healthy}}}
      one: {command: 'echo $PC_PROC_NAME-$PC_REPLICA_NUM', replicas: 2}
    """
    result = converted("process-compose", text)
    assert result.services["all"]["depends_on"] == {"one-0": "ready", "one-1": "ready"}
    second = result.stack.services["one-1"]
    assert dict(second.environment) == {"PC_PROC_NAME": "one", "PC_REPLICA_NUM": "1"}
    assert dict(result.stack.services["all"].environment) == {}
    assert result.outcome.left == []


def test_copies_that_are_alike_are_replicas(converted: Convert) -> None:
    text = "processes: {all: {command: ./all, depends_on: {one: {}}}, one: {command: ./one, replicas: 3}}"
    result = converted("process-compose", text)
    assert result.stack.services["one"].replicas == 3
    assert set(result.stack.services["all"].depends_on) == {"one"}
    assert result.outcome.left == []


def test_times_of_process_compose_in_variables_are_said(converted: Convert) -> None:
    text = "processes: {a: {command: ./a, availability: {restart: always, backoff_seconds: '${WAIT}'}}}"
    result = converted("process-compose", text)
    assert "`backoff_seconds: ${WAIT}` of `availability`: its value is not known here" in result.left["a"]


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
    result = converted("supervisord", f"[program:w]\ncommand=w\n{settings}\nstderr_syslog=False\n")
    left = result.left["w"]
    for key in ("serverurl=http://a", "stdout_capture_maxbytes=1MB", "depends_on: x"):
        assert f"`{key}`" in left
    assert result.stack.services["w"].restart_policy.period == 10.0
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
    assert result.left["api"].startswith("`instances: 0`: these are one for each processor")
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
    for key in ("cron_restart", "out_file", "pid_file"):
        assert f"`{key}`" in result.left["a"]
    assert "instances" not in result.left["a"]
