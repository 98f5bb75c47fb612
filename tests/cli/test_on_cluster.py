"""Which commands and options are for a cluster, and what the others say; for this Ray is not needed."""

from pathlib import Path

import pytest

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
