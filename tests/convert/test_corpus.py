"""Files as projects have them: what the program of each makes of it, and that portsup makes the same of it."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from supervisor.config.load import load
from tests.convert.corpus_cases import Case, cases, converted, facts_of

ALL = cases()


def test_there_are_enough_of_each_source() -> None:
    by_source: dict[str, int] = {}
    for case in ALL:
        by_source[case.source] = by_source.get(case.source, 0) + 1
    assert len(ALL) >= 120
    assert min(by_source.values()) >= 10, by_source


@pytest.mark.parametrize("case", ALL, ids=str)
def test_a_conversion_keeps_what_its_source_means(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = os.environ["PATH"].split(os.pathsep)
    ours = os.path.dirname(sys.executable)  # where Ray has a `serve` of its own, too
    monkeypatch.setenv("PATH", os.pathsep.join(each for each in places if each != ours))
    folder = shutil.copytree(case.folder, tmp_path / "here")
    result = converted(case, folder)
    services = result.stack.services
    assert set(services) == set(case.services), result.text
    for name, wanted in case.services.items():
        found = facts_of(services[name], folder)
        for fact, value in wanted.items():
            known = found[fact]
            if fact in ("env", "hook"):
                known = {each: known.get(each) for each in value} if value else {}
            assert known == _as_text(fact, value), f"{fact} of {name}:\n{result.text}"
    assert sorted(result.absent) == sorted(case.facts.get("absent", []))
    for words in case.facts.get("said", []):
        assert " ".join(words.split()) in result.said, result.text


def test_no_link_is_asked_for_where_both_are_the_same(tmp_path: Path) -> None:
    (case,) = (each for each in ALL if str(each) == "compose/built-beside-sources")
    folder = shutil.copytree(case.folder, tmp_path / "here")
    assert "ln -s" not in converted(case, folder).text


@pytest.mark.parametrize("case", [case for case in ALL if "absent" in case.facts], ids=str)
def test_a_service_that_is_left_out_is_a_block_that_can_be_put_in(case: Case, tmp_path: Path) -> None:
    folder = shutil.copytree(case.folder, tmp_path / "here")
    text = converted(case, folder).text
    for name in case.facts["absent"]:
        _, _, block = text.partition(f"\n# {name}:\n")
        lines = [f"  {line[2:]}" for line in block.partition("\n\n")[0].splitlines()]
        assert lines, text
        whole = "services:\n" + "\n".join([f"  {name}:", *lines]) + "\n"
        data: dict[str, Any] = yaml.safe_load(whole)["services"][name]
        assert "command" in data
        stack = load(folder / "services.yaml", case.environ, ephemeral=range(0), text=whole)
        assert stack.services[name].command


def _as_text(fact: str, value: Any) -> Any:
    return [str(each) for each in value] if fact in ("run", "stopped_by") else value
