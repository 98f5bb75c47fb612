"""Drafts that do not fit together, and texts that YAML or portsup would take for something else."""

import json
import string
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.interpolate import Filler
from supervisor.config.placeholders import fill
from supervisor.convert import shell
from supervisor.convert.draft import Filled
from supervisor.convert.emit import comment, flow, scalar
from supervisor.convert.recognise import convert
from supervisor.convert.values import duration, filled, log_size, port, seconds, signal_name
from supervisor.errors import ConfigError, PortsupError
from tests.convert.conftest import Converted
from tests.support.budget import tries

Convert = Callable[..., Converted]
TRICKY = [
    "yes",
    "No",
    "1.10",
    "0x10",
    "1:30",
    "~",
    "",
    " a",
    "a: b",
    "a #b",
    "- a",
    "'",
    '"',
    "\\",
    "{port}",
    "${X}",
    "$$",
]
TEXTS = st.one_of(st.sampled_from(TRICKY), st.text(max_size=12), st.text(string.printable, max_size=20))


@given(TEXTS)
def test_a_text_is_read_back_as_it_was(text: str) -> None:
    plain = text.replace("\0", "").encode("utf-8", "replace").decode()
    assert yaml.safe_load(f"k: {scalar(text)}") == {"k": plain}
    assert yaml.safe_load(f"[{scalar(text)}, b]") == [plain, "b"]


@given(TEXTS.filter(lambda text: "{{" not in text))
def test_a_literal_text_survives_variables_and_placeholders(text: str) -> None:
    written = yaml.safe_load(f"k: {flow(text, fills=True)}")["k"]
    read = Filler(lambda name: "wrong").fill(written)
    assert (
        fill(read, port=1, host="h", instance=1, endpoints={})
        == text.replace("\0", "").encode("utf-8", "replace").decode()
    )


@given(st.text())
def test_a_comment_never_ends_early(text: str) -> None:
    assert all(line.startswith("    # ") and line.isprintable() for line in comment(text, "    "))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a 'b c' \"d\"", ["a", "b c", "d"]),
        ("exec a", ["a"]),
        ("serve -p $PORT", ["serve", "-p", "{port}"]),
        ("serve -b [::]:${PORT:-80}", ["sh", "-c", "serve -b [::]:$PORT"]),
        ("a && b", ["sh", "-c", "a && b"]),
        ("a | b", ["sh", "-c", "a | b"]),
        ("a $HOME", ["sh", "-c", "a $HOME"]),
        ("a '$HOME'", ["a", "$HOME"]),
        ("a '$PORT'", ["sh", "-c", "a '$PORT'"]),
        ("cd x", ["sh", "-c", "cd x"]),
        ("a *.js", ["sh", "-c", "a *.js"]),
        ("a ~/b", ["sh", "-c", "a ~/b"]),
        ("a 'b", ["sh", "-c", "a 'b"]),
        ("cd x && serve --port 8000", ["sh", "-c", "cd x && serve --port $PORT"]),
        ("PORT=5000 a | b", ["sh", "-c", "a | b"]),
        ("export PORT=5000 && a; b", ["sh", "-c", "a; b"]),
        ("psql -p 5432", ["psql", "-p", "5432"]),
        ("a \\\n b", ["a", "b"]),
    ],
)
def test_a_shell_is_used_where_only_a_shell_understands(text: str, words: list[str]) -> None:
    assert shell.read(text).words == words


@pytest.mark.parametrize("text", ["PORT=5000 a | b", "export PORT=5000; a | b", "a --port 5000 | b"])
def test_a_fixed_port_in_a_shell_gives_way_to_that_of_the_pool(text: str) -> None:
    line = shell.read(text)
    assert (line.ports, line.uses_port) == ([5000], True)
    assert "5000" not in line.words[-1]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("$A", "${A:-}"),
        ("${A}", "${A:-}"),
        ("${A:-b}", "${A:-b}"),
        ("${A-b}", "${A-b}"),
        ("${A:?no}", "${A:?no}"),
        ("${A:-${B}}", "${A:-${B:-}}"),
        ("$$A", "$$A"),
        ("${a.b}", "$${a.b}"),
        ("5$", "5$$"),
        ("{port}$A", "{{port}}${A:-}"),
    ],
)
def test_variables_of_compose_are_demanded_only_where_it_does(text: str, written: str) -> None:
    assert filled(text) == written
    assert isinstance(filled(text), Filled)


def test_values_are_read_in_the_words_of_the_other_programs() -> None:
    assert [seconds(text) for text in ("1m30s", "500ms", "7", "1h", "soon")] == [90.0, 0.5, 7.0, 3600.0, None]
    assert seconds(1500, 0.001) == 1.5
    assert [duration(value) for value in (90.0, 0.5, 1.6)] == ["90s", "0.5s", "1.6s"]
    assert [log_size(text) for text in ("10m", "50MB", "0", "1k", "x")] == [10485760, 52428800, None, None, None]
    assert [signal_name(word) for word in ("TERM", "SIGINT", "2", "NONE")] == ["SIGTERM", "SIGINT", "SIGINT", None]
    assert [port(text) for text in ("80/tcp", "${P:-3000}", "0", "70000", "a")] == [80, 3000, None, None, None]


def test_a_dependency_that_closes_a_cycle_is_left_out_and_said(converted: Convert) -> None:
    result = converted("compose", "services: {a: {command: x, depends_on: [b]}, b: {command: x, depends_on: [a]}}")
    assert (len(result.stack.services["a"].depends_on), len(result.stack.services["b"].depends_on)) == (1, 0)
    assert "closes a cycle" in result.left["b"]


def test_names_that_portsup_does_not_take_are_changed_and_said(converted: Convert) -> None:
    result = converted("procfile", "My_App: a\nmy-app: b\nportsup: c\n_: d\n")
    assert list(result.stack.services) == ["my_app", "my-app-2", "portsup-2", "service"]
    assert "called `My_App` before" in result.text


@pytest.mark.parametrize("wanted", [80, 6000, 40000, 5060])
def test_a_port_that_no_pool_should_have_is_replaced_and_said(wanted: int, converted: Convert) -> None:
    result = converted("procfile", f"web: serve --port {wanted}\n")
    assert result.stack.services["web"].pool == (8000, 8001, 8002)
    assert f"port {wanted} is" in result.text or f"port {wanted} can" in result.text


def test_a_wanted_port_is_not_taken_by_the_spare_ports_of_another(converted: Convert) -> None:
    services = converted(
        "procfile", "a: serve --port 5000\nb: serve --port 5001\nc: serve --port 5000\n"
    ).stack.services
    assert (services["a"].pool, services["b"].pool) == ((5000, 5002, 5003), (5001, 5004, 5005))
    assert services["c"].pool == (8000, 8001, 8002)


def test_what_services_yaml_does_not_take_is_listed(converted: Convert) -> None:
    result = converted("supervisord", "[program:a]\ncommand=b\nuser=no one\numask=9\n")
    assert "`user=no one`" in result.left["a"]
    assert "`umask=9`" in result.left["a"]
    small = converted("pm2", '{"apps": [{"script": "a", "max_memory_restart": "5K"}]}')
    assert "max_memory_restart" in small.left["a"]
    huge = converted("pm2", '{"apps": [{"script": "a", "max_memory_restart": 1000000000000000000}]}')
    assert "max_memory_restart" in huge.left["a"]


WORDS = st.one_of(TEXTS, st.integers(), st.booleans(), st.none())
COMMANDS = st.one_of(st.sampled_from(["a --port 80 b", "x && $Y", "python -m http.server 8000", "A=1 b"]), TEXTS)
NAMES = st.one_of(st.sampled_from(["web", "Web", "we_b", "we-b", "portsup", "1", "yes"]), st.text(max_size=8))
PORTS = st.sampled_from(["80", "5000:80", "${P:-6000}:1", "1.2.3.4:99999:2/udp", "a", 7])
LINES = st.tuples(st.from_regex(r"[A-Za-z0-9_.-]{1,5}", fullmatch=True), COMMANDS)
SERVICE = st.fixed_dictionaries(
    {},
    optional={
        "image": WORDS,
        "build": WORDS,
        "command": st.one_of(COMMANDS, st.lists(COMMANDS, max_size=3)),
        "entrypoint": st.lists(COMMANDS, max_size=2),
        "environment": st.one_of(st.dictionaries(NAMES, WORDS, max_size=3), st.lists(TEXTS, max_size=3), WORDS),
        "env_file": st.one_of(TEXTS, st.lists(TEXTS, max_size=2)),
        "working_dir": WORDS,
        "ports": st.lists(
            st.sampled_from(["80", "5000:80", "${P:-6000}:1", "1.2.3.4:99999:2/udp", "a", 7]), max_size=3
        ),
        "depends_on": st.one_of(
            st.lists(NAMES, max_size=3),
            st.dictionaries(
                NAMES,
                st.fixed_dictionaries({"condition": st.sampled_from(["service_completed_successfully", "x"])}),
                max_size=3,
            ),
        ),
        "healthcheck": st.fixed_dictionaries(
            {"test": st.one_of(COMMANDS, st.just(["CMD", "curl", "localhost:80/a b"]), st.lists(COMMANDS, max_size=2))},
            optional={"interval": WORDS, "retries": WORDS, "timeout": WORDS},
        ),
        "profiles": st.lists(NAMES, max_size=2),
        "restart": st.sampled_from(["no", "always", "on-failure:3", "x"]),
        "stop_signal": WORDS,
        "stop_grace_period": st.one_of(WORDS, st.just("1m")),
        "pre_stop": st.lists(st.fixed_dictionaries({"command": COMMANDS, "environment": WORDS}), max_size=2),
    },
)


@tries(6, 1000)
@given(services=st.dictionaries(NAMES, SERVICE, min_size=1, max_size=4))
def test_whatever_a_compose_file_has_the_result_passes_the_check(services: dict[str, object], tmp_path: Path) -> None:
    _passes("compose", json.dumps({"services": services}), tmp_path)


@tries(6, 1000)
@given(processes=st.dictionaries(NAMES, st.tuples(COMMANDS, NAMES, WORDS), min_size=1, max_size=4))
def test_whatever_a_process_compose_file_has_the_result_passes_the_check(
    processes: dict[str, tuple[str, str, object]], tmp_path: Path
) -> None:
    data = {
        name: {
            "command": command,
            "depends_on": {other: {"condition": "process_completed"}},
            "environment": {other: word},
            "working_dir": word,
            "description": word,
            "ready_log_line": word,
            "availability": {"restart": "always", "backoff_seconds": word, "max_restarts": word},
            "readiness_probe": {"http_get": {"path": word, "port": word}},
            "liveness_probe": {"exec": {"command": command}, "period_seconds": word},
            "shutdown": {"command": command, "timeout_seconds": word},
        }
        for name, (command, other, word) in processes.items()
    }
    _passes("process-compose", json.dumps({"processes": data}), tmp_path)


@tries(6, 1000)
@given(
    lines=st.lists(st.tuples(st.from_regex(r"[A-Za-z0-9_.-]{1,5}", fullmatch=True), COMMANDS), min_size=1, max_size=5)
)
def test_whatever_a_procfile_has_the_result_passes_the_check(lines: list[tuple[str, str]], tmp_path: Path) -> None:
    _passes("procfile", "\n".join(f"{name}: {command}" for name, command in lines), tmp_path)


@tries(6, 1000)
@given(apps=st.lists(st.tuples(NAMES, COMMANDS, WORDS, WORDS), min_size=1, max_size=4))
def test_whatever_a_file_of_pm2_has_the_result_passes_the_check(
    apps: list[tuple[str, str, object, object]], tmp_path: Path
) -> None:
    listed = [
        {
            "name": name,
            "script": script,
            "args": word,
            "cwd": word,
            "env": {name: other, "PORT": word},
            "interpreter": other,
            "port": word,
            "kill_timeout": other,
            "min_uptime": word,
            "restart_delay": other,
            "uid": word,
            "max_memory_restart": other,
        }
        for name, script, word, other in apps
    ]
    _passes("pm2", json.dumps({"apps": listed}), tmp_path)


@tries(6, 1000)
@given(programs=st.lists(st.tuples(NAMES, COMMANDS, TEXTS, TEXTS), min_size=1, max_size=4))
def test_whatever_a_supervisord_conf_has_the_result_passes_the_check(
    programs: list[tuple[str, str, str, str]], tmp_path: Path
) -> None:
    keys = ("directory", "environment", "startretries", "stopsignal", "stopwaitsecs", "user", "stdout_logfile")
    text = ""
    for name, command, word, other in programs:
        lines = [f"{key}={word}" for key in keys] + [f"environment=A={other},{word}=%(ENV_X)s", "numprocs=2"]
        text += "\n".join([f"[program:{name}]", f"command={command}", *lines, ""])
    _passes("supervisord", text, tmp_path)


def _passes(kind: str, text: str, folder: Path) -> None:
    """A source that has nothing to carry over is refused; for all others, loading the result raises what is wrong."""
    try:
        convert(kind, "source", text)
    except PortsupError:
        return
    try:
        Converted(kind, text, folder)
    except ConfigError as error:
        pytest.fail("\n".join(map(str, error.problems)))
