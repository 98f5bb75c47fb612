"""YAML of other programs."""

import pytest

from supervisor.config.foreign import Tagged, from_yaml
from supervisor.errors import PortsupError


def test_values_are_the_characters_they_are_written_with() -> None:
    text = "a: 1.10\nb: no\nc: 2024-01-01\nd: ~\ne: &e {f: 0o17}\ng: {<<: *e, h: !own x}"
    e = {"f": "0o17"}
    assert from_yaml(text, "f") == {"a": "1.10", "b": "no", "c": "2024-01-01", "d": None, "e": e, "g": e | {"h": "x"}}


def test_what_takes_away_is_told_apart() -> None:
    assert from_yaml("ports: !reset []\nenv: !override {A: b}", "f") == {
        "ports": Tagged("!reset", []),
        "env": Tagged("!override", {"A": "b"}),
    }


@pytest.mark.parametrize("piece", ["[", "{a: ", "- ", "? "])
def test_however_deep_a_file_is_nested_it_is_read_or_refused(piece: str) -> None:
    with pytest.raises(PortsupError, match="it is no YAML"):
        from_yaml(piece * 200_000, "compose.yaml")


def test_a_mistake_is_told_with_its_place() -> None:
    with pytest.raises(PortsupError, match=r"cannot read `f`: it is no YAML: mapping values .* line 2, column 5"):
        from_yaml("x: 1\na: b: c", "f")
