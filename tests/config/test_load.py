"""From a file to a stack: the happy ways."""

import os
from pathlib import Path

import pytest

from supervisor.config.load import load
from supervisor.config.names import files_of, find_asked
from supervisor.config.show import resolved
from supervisor.config.spec import (
    Condition,
    HealthCheck,
    LogLimits,
    OnPortChange,
    Probe,
    ProbeKind,
    Ready,
    Restart,
    RestartPolicy,
    ServiceSpec,
)
from supervisor.errors import ConfigError, ExitCode, UsageError

from .conftest import Loading, Mistakes

SMALL = "services: {web: {command: [httpd], pool: [8000, 8001, 8002]}}\n"


def test_a_service_with_nothing_but_a_command_and_a_pool_gets_every_default(loading: Loading, tmp_path: Path) -> None:
    stack = loading(SMALL)
    assert stack.services == {
        "web": ServiceSpec("web", ("httpd",), (8000, 8001, 8002), working_dir=tmp_path, line=1),
    }
    assert (stack.stride, stack.strict_ports, stack.warnings, stack.secrets) == (100, False, (), frozenset())
    assert stack.file == tmp_path / "services.yaml"


def test_every_key_reaches_its_place(loading: Loading, tmp_path: Path) -> None:
    stack = loading("""\
name: sandra
instances: {stride: 50}
ports: {strict: true}
services:
  job: {command: "python -m 'a job'"}
  web:
    description: The web
    command: [python, -m, http.server, 8000, true]
    pool: 8000-8003
    port_env: WEB_PORT
    environment: {LEVEL: info, VERSION: 1.10, ANSWER: no, EMPTY: "", OCTAL: 010}
    working_dir: sub/..
    depends_on: {job: {condition: completed}}
    ready: {http: /health, timeout: 1m}
    healthcheck: {exec: [curl, "http://{host}:{port}/"], interval: 5, timeout: 500ms, retries: 2}
    restart: always
    restart_policy: {delay: 1s, factor: 1.5, max_delay: 1h30m, max_restarts: 3, period: 2m}
    stop_signal: INT
    stop_grace_period: 0
    rotate_after: 1
    quarantine: 5s
    on_port_change: {signal: SIGHUP}
    logging: {max_size: 64KB, backups: 0, redact: false}
""")
    assert (stack.name, stack.stride, stack.strict_ports) == ("sandra", 50, True)
    assert stack.services["job"] == ServiceSpec(
        "job", ("python", "-m", "a job"), (), working_dir=tmp_path, ready=Ready(Probe(ProbeKind.STARTED)), line=5
    )
    assert stack.services["web"] == ServiceSpec(
        name="web",
        command=("python", "-m", "http.server", "8000", "true"),
        pool=(8000, 8001, 8002, 8003),
        description="The web",
        port_env="WEB_PORT",
        environment={"LEVEL": "info", "VERSION": "1.10", "ANSWER": "no", "EMPTY": "", "OCTAL": "010"},
        working_dir=tmp_path,
        depends_on={"job": Condition.COMPLETED},
        ready=Ready(Probe(ProbeKind.HTTP, target="/health"), 60.0),
        healthcheck=HealthCheck(Probe(ProbeKind.EXEC, command=("curl", "http://{host}:{port}/")), 5.0, 0.5, 2),
        restart_policy=RestartPolicy(Restart.ALWAYS, 1.0, 1.5, 5400.0, 3, 120.0),
        stop_signal=2,
        stop_grace_period=0.0,
        rotate_after=1,
        quarantine=5.0,
        on_port_change=OnPortChange("signal", 1),
        logging=LogLimits(65536, 0, redact=False),
        line=6,
    )


@pytest.mark.parametrize(
    ("written", "pool"),
    [
        ("[8000, 8002]", (8000, 8002)),
        ("[8002, 8000]", (8002, 8000)),
        ("8000-8002", (8000, 8001, 8002)),
        ('"8000 - 8002"', (8000, 8001, 8002)),
        ("[8000-8001, 9000]", (8000, 8001, 9000)),
        ("8000", (8000,)),
        ("{base: 8000, size: 2}", (8000, 8001)),
        ("{base: 8000}", (8000, 8001, 8002)),
        ("65535", (65535,)),
    ],
)
def test_a_pool_may_be_written_in_many_ways(loading: Loading, written: str, pool: tuple[int, ...]) -> None:
    assert loading(f"services: {{web: {{command: a, pool: {written}}}}}").services["web"].pool == pool


@pytest.mark.parametrize(
    ("written", "ready"),
    [
        ("listening", Ready(Probe(ProbeKind.LISTENING))),
        ("started", Ready(Probe(ProbeKind.STARTED))),
        ("{timeout: 5s}", Ready(Probe(ProbeKind.LISTENING), 5.0)),
        ("{listening: true, timeout: 5s}", Ready(Probe(ProbeKind.LISTENING), 5.0)),
        ("{tcp: true}", Ready(Probe(ProbeKind.TCP))),
        ("{exec: test -f x}", Ready(Probe(ProbeKind.EXEC, command=("test", "-f", "x")))),
        (r"{log: 'ready on \d+'}", Ready(Probe(ProbeKind.LOG, target=r"ready on \d+"))),
    ],
)
def test_readiness_may_be_written_in_many_ways(loading: Loading, written: str, ready: Ready) -> None:
    assert loading(f"services: {{web: {{command: a, pool: 8000, ready: {written}}}}}").services["web"].ready == ready


@pytest.mark.parametrize(
    ("written", "conditions"),
    [
        ("[a, b]", {"a": "ready", "b": "ready"}),
        ("{a: {condition: started}, b: {condition: listening}}", {"a": "started", "b": "listening"}),
        ("{a: completed, b: }", {"a": "completed", "b": "ready"}),
        ("{a: {}}", {"a": "ready"}),
    ],
)
def test_dependencies_may_be_written_in_many_ways(loading: Loading, written: str, conditions: dict[str, str]) -> None:
    stack = loading(f"""\
services:
  a: {{command: a, pool: 8000}}
  b: {{command: b, pool: 8001}}
  web: {{command: web, depends_on: {written}}}
""")
    assert stack.services["web"].depends_on == conditions


def test_a_limit_may_be_as_much_as_there_is(loading: Loading, mistakes: Mistakes) -> None:
    text = "services: {{web: {{command: a, limits: {{nofile: unlimited, core: {0}, cpu_time: {0}, stack: 8MB}}}}}}"
    stack = loading(text.format("unlimited"))
    assert stack.services["web"].limits == {"nofile": -1, "core": -1, "cpu_time": -1, "stack": 8 * 1024**2}
    shown = resolved(stack)["services"]["web"]["limits"]
    assert shown == {"nofile": "unlimited", "core": "unlimited", "cpu_time": "unlimited", "stack": 8 * 1024**2}
    for written in ("-1", "infinity"):
        core, cpu_time = mistakes(text.format(written))
        assert core.endswith(f"core: `{written}` is not a size such as 10MB (write `unlimited` for no limit)")
        assert cpu_time.endswith(f"`{written}` is not a duration such as 10s (write `unlimited` for no limit)")


@pytest.mark.parametrize("written", ["{signal: HUP}", '"signal: SIGHUP"', "{signal: 1}"])
def test_a_signal_on_port_change_may_be_written_in_many_ways(loading: Loading, written: str) -> None:
    stack = loading(f"services: {{web: {{command: a, pool: 8000, on_port_change: {written}}}}}")
    assert stack.services["web"].on_port_change == OnPortChange("signal", 1)


def test_anchors_and_merge_keys_work_and_own_keys_win(loading: Loading) -> None:
    stack = loading("""\
x-base: &base
  restart: always
  environment: &env {A: one}
x-slow: &slow
  stop_grace_period: 1m
  restart: never
services:
  web:
    <<: *base
    command: web
    pool: 8000
  api:
    <<: [*base, *slow]
    command: api
    pool: 8001
    environment: {<<: *env, B: two}
""")
    web, api = stack.services["web"], stack.services["api"]
    assert (web.restart_policy.restart, web.environment) == (Restart.ALWAYS, {"A": "one"})
    assert (api.restart_policy.restart, api.stop_grace_period) == (Restart.ALWAYS, 60.0)
    assert api.environment == {"A": "one", "B": "two"}


def test_services_keep_the_order_of_the_file(loading: Loading) -> None:
    names = [f"s{number}" for number in (5, 1, 4, 2, 3)]
    text = "services:\n" + "".join(f"  {name}: {{command: x}}\n" for name in names)
    assert list(loading(text).services) == names


@pytest.mark.parametrize(("folder", "name"), [("Sandra", "sandra"), ("My Stack (2)", "my-stack-2"), ("🦊", "stack")])
def test_a_stack_without_a_name_is_called_like_its_folder(tmp_path: Path, folder: str, name: str) -> None:
    (tmp_path / folder).mkdir()
    file = tmp_path / folder / "services.yaml"
    file.write_text(SMALL)
    assert load(file, {}).name == name


def test_a_byte_order_mark_does_no_harm(loading: Loading) -> None:
    assert list(loading(b"\xef\xbb\xbf" + SMALL.encode()).services) == ["web"]


def test_windows_line_ends_do_no_harm(loading: Loading) -> None:
    text = "services:\r\n  web:\r\n    command: a b\r\n    pool: 8000\r\n"
    assert loading(text).services["web"].command == ("a", "b")


def test_a_working_dir_is_relative_to_the_file_and_knows_home(loading: Loading, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    text = "services: {a: {command: a, working_dir: sub}, b: {command: b, working_dir: ~/}}"
    stack = loading(text, {"HOME": str(tmp_path)})
    assert [stack.services[name].working_dir for name in "ab"] == [tmp_path / "sub", tmp_path]


def test_the_file_is_found_in_the_folder_or_above(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "services.yml").write_text(SMALL)

    def found(start: Path, *given: Path | str) -> tuple[str, ...]:
        return files_of(find_asked(str(start), given))

    assert found(deep) == (str(tmp_path / "services.yml"),)
    (tmp_path / "a" / "services.yaml").write_text(SMALL)
    assert found(deep) == (str(tmp_path / "a" / "services.yaml"),)
    assert found(deep, tmp_path / "other.yaml", "x.yaml") == (str(tmp_path / "other.yaml"), str(deep / "x.yaml"))
    assert found(deep, tmp_path) == (str(tmp_path / "services.yml"),)
    assert found(tmp_path, deep) == (str(deep / "services.yaml"),)  # loading it says that there is none
    (tmp_path / "a" / "services.override.yml").write_text(SMALL)
    both = (str(tmp_path / "a" / "services.yaml"), str(tmp_path / "a" / "services.override.yml"))
    assert found(deep) == found(tmp_path, "a") == both
    assert found(deep, "../services.yaml") == both[:1], "a file that is named comes alone"
    with pytest.raises(UsageError, match="named twice"):
        found(tmp_path, "a", "a/../a/services.yaml")


def test_no_file_anywhere_is_a_usage_error_that_says_what_to_do(tmp_path: Path) -> None:
    if any((folder / "services.yaml").exists() for folder in tmp_path.parents):
        pytest.skip("somebody left a services.yaml above the temporary folder")
    with pytest.raises(ConfigError) as caught:
        find_asked(str(tmp_path), ())
    assert caught.value.exit_code == ExitCode.USAGE
    assert str(caught.value) == f"cannot find a services.yaml: there is none in `{tmp_path}` or above it"
    assert "-f FILE" in caught.value.hint


def test_a_file_is_named_as_seen_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("services.yaml").write_text("services: {}")
    with pytest.raises(ConfigError) as caught:
        load(Path("services.yaml"), os.environ)
    assert str(caught.value) == "cannot use `services.yaml`: it has a mistake"
    assert str(caught.value.problems[0]).startswith("services.yaml:1:11: services:")
