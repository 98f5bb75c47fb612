"""Values that engines read otherwise than we do: words of other YAMLs, and a group without a user."""

import re

import pytest

from supervisor.export.model import Target
from tests.export.conftest import Loading, files
from tests.support.reading import read_all_yaml, read_yaml

WORDS = ["y", "N", "1e3", "0o17", "+.5", "08", "12E-1", "yes", "0x1f", "1_000"]


@pytest.mark.parametrize("target", [Target.COMPOSE, Target.KUBERNETES, Target.QUADLET])
@pytest.mark.parametrize("word", WORDS)
def test_a_text_that_another_yaml_takes_for_no_text_is_in_quotes(loading: Loading, target: Target, word: str) -> None:
    made = files(loading(f"services: {{a: {{command: [x, '{word}'], environment: {{WORD: '{word}'}}}}}}"), target)
    text = "\n".join(made.values())
    assert len(re.findall(rf"(?<![\w.+]){re.escape(word)}(?![\w.])", text)) > 1
    assert re.findall(rf"(?<!['\w.+]){re.escape(word)}(?!['\w.])", text) == []


def test_a_stack_may_be_called_like_a_word_of_yaml(loading: Loading) -> None:
    stack = loading("{name: y, services: {n: {command: x, description: '1e3'}}}")
    text = files(stack, Target.COMPOSE)["compose.yaml"]
    assert "name: 'y'\n" in text
    assert "  'n':\n" in text
    [manifests] = files(stack, Target.KUBERNETES).values()
    assert "part-of: 'y'" in manifests
    assert "description: '1e3'" in manifests


def test_a_group_without_a_user_is_in_no_key_that_takes_both(loading: Loading) -> None:
    alone = loading("services: {a: {command: x, group: '1000'}, b: {command: x, user: '7', group: '8'}}")
    services = read_yaml(files(alone, Target.COMPOSE)["compose.yaml"])["services"]
    assert (services["a"]["user"], services["b"]["user"]) == ("0:1000", "7:8")
    units = {name: text for name, text in files(alone, Target.QUADLET).items() if "-a." in name}
    assert not any(line.startswith("Group=") for text in units.values() for line in text.splitlines())
    assert any("group: '1000'" in text for text in units.values())
    [text] = files(alone, Target.KUBERNETES).values()
    pods = {each["metadata"]["name"][-1]: each for each in read_all_yaml(text) if each["kind"] == "Deployment"}
    security = {name: pod["spec"]["template"]["spec"].get("securityContext") for name, pod in pods.items()}
    assert security["a"] is None
    assert security["b"]["runAsGroup"] == 8
    maps = {each["metadata"]["name"][-1]: each for each in read_all_yaml(text) if each["kind"] == "ConfigMap"}
    assert "group: '1000'" in str(maps["a"]["data"]).replace("\\'", "'")
