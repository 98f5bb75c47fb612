"""Checks and commands beside a service: they ask the port that it gets, not the one that it had."""

from collections.abc import Callable
from typing import Any

import pytest

from supervisor.config.spec import ProbeKind
from supervisor.convert import side_commands
from supervisor.convert.draft import Draft, Filled
from supervisor.convert.recognise import convert
from supervisor.errors import PortsupError
from tests.convert.conftest import Converted

Convert = Callable[..., Converted]


@pytest.mark.parametrize(
    ("command", "written"),
    [
        (["sh", "-c", "curl localhost:7000/up | grep ok"], ["sh", "-c", "curl localhost:{port}/up | grep ok"]),
        (["sh", "-c", "exec 3<>/dev/tcp/127.0.0.1/7000"], ["sh", "-c", "exec 3<>/dev/tcp/127.0.0.1/{port}"]),
        (["sh", "-c", "ctl -p 7000 off"], ["sh", "-c", "ctl -p {port} off"]),
        (["ctl", "--port=7000"], ["ctl", "--port={port}"]),
        (["ctl", "-p", "7000"], ["ctl", "-p", "{port}"]),
        (["nc", "-z", "localhost", "7000"], ["nc", "-z", "localhost", "{port}"]),
        (["see", "http://localhost:80/${A:-}"], ["see", "http://localhost:{port}/${A:-}"]),
        (["sh", "-c", "see http://localhost/a | cat"], ["sh", "-c", "see http://localhost:{port}/a | cat"]),
        (["ctl", "-p", "70001", "localhost:7000.5", "7000"], ["ctl", "-p", "70001", "localhost:7000.5", "7000"]),
        (["see", "http://localhost.example/"], ["see", "http://localhost.example/"]),
        (["sh", "-c", "a {port} $X localhost:7000"], ["sh", "-c", "a {{port}} $X localhost:{port}"]),
    ],
)
def test_the_port_of_the_service_is_the_one_of_its_pool(command: list[str], written: list[str]) -> None:
    draft = Draft("a", {"stop_command": [Filled(word) if "${" in word else word for word in command]})
    draft.ports, draft.inner = [7000, 9999], [80]
    side_commands.follow(draft)
    assert draft.fields["stop_command"] == written


@pytest.mark.parametrize(
    ("command", "written"),
    [
        (["pg_isready"], ["pg_isready", "-h", "127.0.0.1", "-p", "{port}"]),
        (["sh", "-c", "pg_isready"], ["sh", "-c", "pg_isready -h 127.0.0.1 -p {port}"]),
        (["sh", "-c", "pg_isready || exit 1"], ["sh", "-c", "pg_isready -h 127.0.0.1 -p {port} || exit 1"]),
    ],
)
def test_a_client_that_is_only_its_name_is_told_the_port(command: list[str], written: list[str]) -> None:
    draft = Draft("a", {"ready": {"exec": command}}, ports=[5432])
    side_commands.follow(draft)
    assert draft.fields["ready"] == {"exec": written}


def test_a_service_without_a_pool_keeps_what_its_commands_say() -> None:
    fields: dict[str, Any] = {"ready": {"exec": ["nc", "localhost", "7000"]}}
    draft = Draft("a", dict(fields), ports=[7000], has_pool=False)
    side_commands.follow(draft)
    assert draft.fields == fields


def test_checks_and_stop_commands_of_a_file_follow_the_port(converted: Convert) -> None:
    web = """
    services:
      web:
        image: shop
        command: ./shop
        ports: ["9300:3000"]
        healthcheck: {test: "curl -s localhost:3000/up | grep -q fine"}
    """
    stack = converted("compose", web).stack
    assert stack.services["web"].healthcheck is not None
    assert stack.services["web"].healthcheck.probe.command == ("sh", "-c", "curl -s localhost:{port}/up | grep -q fine")
    search = """
    processes:
      search:
        command: ./search run -p 9400
        shutdown: {command: ./search halt -p 9400}
    """
    service = converted("process-compose", search).stack.services["search"]
    assert service.stop_command is not None
    assert service.stop_command.command == ("sh", "-c", "./search halt -p {port}")


def test_a_check_of_a_port_in_a_variable_asks_that_port(converted: Convert) -> None:
    text = """
    processes:
      api: {command: ./api, readiness_probe: {http_get: {port: $API_PORT, path: /up}}}
      odd: {command: ./odd, readiness_probe: {http_get: {port: "{{.N}}", path: /up}}}
      own: {command: ./own, environment: ["PORT=9500"], readiness_probe: {http_get: {port: $PORT, path: /up}}}
    """
    result = converted("process-compose", text, API_PORT="9600")
    api, odd, own = (result.stack.services[name] for name in ("api", "odd", "own"))
    assert api.ready.probe.command[-1] == "http://127.0.0.1:9600/up"
    assert "write `port_env: API_PORT` and `http: /up`" in " ".join(result.text.replace("#", "").split())
    assert odd.bind.value == "move"
    assert "the port `{{.N}}` of the health check" in result.left["odd"]
    assert (own.ready.probe.kind, own.port_env) == (ProbeKind.HTTP, "PORT")


def test_a_service_whose_port_nothing_names_has_no_pool_and_is_ready_by_its_check_alone(converted: Convert) -> None:
    process = "processes: {job: {command: redis-server, readiness_probe: {exec: {command: redis-cli ping}}}}"
    service = "services: {job: {command: ./work, healthcheck: {test: 'true'}}}"
    for kind, text, command in (("process-compose", process, ("redis-cli", "ping")), ("compose", service, ("true",))):
        result = converted(kind, text)
        job = result.stack.services["job"]
        assert (job.pool, job.ready.probe.kind, job.ready.probe.command) == ((), ProbeKind.EXEC, command)
        assert "`init` finds no port that it listens on, so it has no pool" in result.text


def test_the_shell_that_runs_a_command_is_named(converted: Convert) -> None:
    text = "shell: {shell_command: zsh}\nprocesses: {a: {command: 'b && c'}}"
    assert "# run by `zsh -c`, because of the `&` in it" in converted("process-compose", text).text


def test_a_port_that_a_shell_would_set_is_the_first_of_the_pool(converted: Convert) -> None:
    web = converted("procfile", 'web: serve -p ${PORT:="3100"} -e ${MODE:="dev"}').stack.services["web"]
    assert web.pool[0] == 3100


def test_a_command_that_is_a_list_is_no_text(converted: Convert) -> None:
    text = "processes: {web: {command: [python3, -m, http.server, two words]}}"
    service = converted("process-compose", text).stack.services["web"]
    assert service.command == ("python3", "-m", "http.server", "two words")


def test_a_long_command_whose_signs_are_meant_stays_a_text(converted: Convert) -> None:
    words = " ".join(f"--option-{number}=value" for number in range(12))
    service = converted("supervisord", f'[program:w]\ncommand=w "%(ENV_A)s" $HOME {words}\n', A="a b").stack.services[
        "w"
    ]
    assert service.command[:3] == ("w", "a b", "$HOME")


def test_a_line_that_goes_on_from_nothing_is_a_mistake_in_words() -> None:
    with pytest.raises(PortsupError, match="a line belongs to no key"):
        convert("supervisord", "supervisord.conf", "[program:w]\ncommand=w\nalone\n  more\n")
