"""Which commands and options are for a cluster, and what the others say; for this Ray is not needed."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from supervisor.api.values import Event
from supervisor.cli import cluster_views
from supervisor.cli.commands import NOT_ON_CLUSTERS, ON_CLUSTERS
from supervisor.cli.config_files import cluster_asked
from supervisor.cli.parser import build
from supervisor.words.cluster import ONE_MACHINE
from tests.cli.conftest import Run

NEEDS = {"scale": ["api=2"], "wait": ["api"]}


def test_a_command_is_for_clusters_or_says_why_not() -> None:
    assert set(ONE_MACHINE) == NOT_ON_CLUSTERS
    assert not NOT_ON_CLUSTERS & ON_CLUSTERS


@pytest.mark.parametrize("command", sorted(ONE_MACHINE))
@pytest.mark.parametrize("is_asked", ["--on", "PORTSUP_ON", "services.yaml"])
def test_a_command_for_one_machine_says_why(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, is_asked: str
) -> None:
    words = [command, *NEEDS.get(command, [])]
    if is_asked == "--on":
        words += ["--on", "auto"]
    elif is_asked == "PORTSUP_ON":
        monkeypatch.setenv("PORTSUP_ON", "auto")
    else:
        file = tmp_path / "services.yaml"
        file.write_text("engine: {ray: {address: auto}}\nservices: {api: {command: serve}}\n")
        words += ["--file", str(file)]
    ran = run(*words)
    assert ran.code == 2
    assert f"cannot use `{command}` on a cluster: {ONE_MACHINE[command]}" in ran.err
    assert "--on ''" in ran.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["up", "--abort-on-exit"], "does not see the end of a service"),
        (["up", "--abort-on-failure"], "does not see the end of a service"),
        (["up", "--exit-code-from", "api"], "does not see the end of a service"),
        (["status", "--resources"], "nobody collects from the nodes"),
    ],
)
def test_an_option_for_one_machine_says_why(run: Run, words: list[str], why: str) -> None:
    ran = run(*words, "--on", "auto")
    assert ran.code == 2
    assert why in ran.err
    assert f"cannot use {words[1]} on a cluster" in ran.err


def test_only_a_file_that_names_a_cluster_is_parsed_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "services.yaml"
    args = build("status").parse_args([])
    assert args.on is None
    args.file = None
    assert cluster_asked(args) == ""
    file.write_text("services: {api: {command: serve}")  # a mistake, and nobody has to know of it here
    assert cluster_asked(args) == ""
    file.write_text("engine: {ray: {address: 'ray://there:10001'}}\nservices: {api: {command: serve}}\n")
    assert cluster_asked(args) == "ray://there:10001"
    (tmp_path / "services.override.yaml").write_text("engine: {ray: {address: auto}}\n")
    assert cluster_asked(args) == "auto"


class FakeCluster:
    """A cluster whose journals have an event each second."""

    silent: Mapping[str, str] = MappingProxyType({})

    def check(self, services: list[str]) -> None:
        pass

    def plan(self) -> dict[str, list[str]]:
        return {"order": ["api"]}

    def events(self, services: list[str], count: int) -> list[Event]:
        told = [
            Event(f"2026-11-30T10:00:{second:02}.000Z", second, "info", "service ready", "api") for second in range(60)
        ]
        return told[max(0, len(told) - count) :]


@pytest.mark.parametrize(
    ("words", "first", "last", "count"),
    [
        (["-n", "3"], "57", "59", 3),
        (["-n", "3", "--until", "2026-11-30T10:00:20Z"], "18", "20", 3),
        (["-n", "all", "--until", "2026-11-30T10:00:20Z"], "00", "20", 21),
        (["-n", "0"], "", "", 0),
        (["-n", "0", "--until", "2026-11-30T10:00:20Z"], "", "", 0),
    ],
)
def test_the_last_events_are_those_until_then(
    capsys: pytest.CaptureFixture[str], words: list[str], first: str, last: str, count: int
) -> None:
    args = build("events").parse_args(words)
    assert cluster_views.events(FakeCluster(), args) == 0  # type: ignore[arg-type]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == count
    assert [line[17:19] for line in lines[:1] + lines[-1:]] == ([first, last] if count else [])
