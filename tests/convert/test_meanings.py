"""What a conversion must not change without a word, where no other test has it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.config.load import load
from supervisor.convert.recognise import kind_of
from supervisor.errors import ConfigError, PortsupError, UsageError
from tests.convert.conftest import Converted

Convert = Callable[..., Converted]


def test_supervisord_tries_three_times_what_does_not_stay_up_for_a_second(converted: Convert) -> None:
    policy = converted("supervisord", "[program:a]\ncommand=a\n").stack.services["a"].restart_policy
    assert (policy.max_restarts, policy.period, policy.is_endless) == (3, 1.0, False)


def test_pm2_restarts_sixteen_times_what_does_not_stay_up_for_a_second(converted: Convert) -> None:
    policy = converted("pm2", '{"apps": [{"script": "a.js"}]}').stack.services["a"].restart_policy
    assert (policy.max_restarts, policy.period) == (16, 1.0)


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("supervisord", "[program:a]\ncommand=a %(ENV_TOKEN)s\n", "supervisord takes it from its environment"),
        ("supervisord", "[program:a]\ncommand=a\nenvironment=T=%(ENV_TOKEN)s\n", "takes it from its environment"),
        ("compose", "services: {a: {command: './a ${TOKEN:?give one}'}}", "give one"),
        ("compose", "services: {a: {command: ./a, environment: {T: '${TOKEN?give one}'}}}", "give one"),
        ("process-compose", "processes: {a: {command: './a ${TOKEN:?give one}'}}", "give one"),
    ],
)
def test_a_variable_that_has_to_be_set_has_to_be_set_here(
    kind: str, text: str, said: str, converted: Convert, tmp_path: Path
) -> None:
    written = converted(kind, text).text
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "services.yaml", {}, ephemeral=(), text=written)
    assert said in str(caught.value.problems[0])
    assert load(tmp_path / "services.yaml", {"TOKEN": "x"}, ephemeral=(), text=written).services


@pytest.mark.parametrize("text", ["title: some words\nauthor: two names\n", "key: value\n", "a: b\nc: d e f\n"])
def test_a_flat_file_of_yaml_is_no_procfile(text: str) -> None:
    with pytest.raises(PortsupError):
        kind_of("settings.yaml", text)


def test_a_file_of_circus_is_not_taken_for_one_of_supervisord() -> None:
    assert kind_of("circus.ini", "[watcher:a]\ncmd = a\n") == "circus"
    assert kind_of("other.ini", "[circus]\n[watcher:a]\ncmd = a\n") == "circus"


def test_a_program_that_portsup_does_not_know_is_asked_for() -> None:
    with pytest.raises(UsageError):
        kind_of("app.conf", "listen = 80\n")


def test_a_unit_of_a_user_has_the_places_of_that_user(
    converted: Convert, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setattr("os.getuid", lambda: 77, raising=False)
    unit = "[Service]\nExecStart=/bin/a --at %t/a --of %E/a %S\nStateDirectory=a\n[Install]\nWantedBy=default.target\n"
    spec = converted("systemd", unit).stack.services["source-of-systemd"]
    assert list(spec.command[1:]) == ["--at", "/run/user/77/a", "--of", "/home/ada/.config/a", "/home/ada/.local/state"]
    assert spec.environment["STATE_DIRECTORY"] == "/home/ada/.local/state/a"
    assert str(spec.working_dir) == "/home/ada"
    of_system = converted("systemd", unit.replace("default", "multi-user")).stack.services["source-of-systemd"]
    assert (of_system.command[2], str(of_system.working_dir)) == ("/run/a", "/")
