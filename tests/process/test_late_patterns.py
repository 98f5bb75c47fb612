"""Patterns that are compiled late do what those do that are compiled at once."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.process.late_patterns import compiled_late

ROOT = Path(__file__).parents[2]


def test_a_late_pattern_finds_what_it_would_find_at_once() -> None:
    with compiled_late():
        late = re.compile(r"(?P<word>b+)", re.IGNORECASE)
        wrong = re.compile("(")
    for asked in (
        lambda pattern: pattern.search("aBBc").group("word"),
        lambda pattern: pattern.sub("-", "abba"),
        lambda pattern: pattern.split("1b2"),
        lambda pattern: (pattern.pattern, pattern.flags, pattern.groups, dict(pattern.groupindex)),
        lambda pattern: [found.span() for found in pattern.finditer("b bb")],
    ):
        assert asked(late) == asked(re.compile(r"(?P<word>b+)", re.IGNORECASE))
    with pytest.raises(AttributeError):
        late.no_such_thing  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(re.error):
        wrong.search("")


def test_after_the_block_patterns_are_compiled_at_once() -> None:
    with pytest.raises(ZeroDivisionError), compiled_late():
        raise ZeroDivisionError
    assert isinstance(re.compile("a"), re.Pattern)


@pytest.mark.live
def test_a_file_is_read_with_late_patterns_as_with_others(tmp_path: Path) -> None:
    text = (ROOT / "services.yaml").read_text()
    (tmp_path / "services.yaml").write_text(text)
    program = """
import contextlib, pickle, re, sys
from supervisor.process.late_patterns import compiled_late
with compiled_late() if sys.argv[1] == "late" else contextlib.nullcontext():
    from supervisor.config.load import load
import os
from pathlib import Path
from supervisor.config import parse, port_killers
print(isinstance(port_killers._ANYWHERE, re.Pattern), isinstance(parse.yaml.reader.Reader.NON_PRINTABLE, re.Pattern))
print(load(Path("services.yaml"), os.environ))
"""
    told = [
        subprocess.run(
            [sys.executable, "-c", program, how],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        for how in ("late", "at once")
    ]
    assert [each.stderr for each in told] == ["", ""]
    assert [each.stdout.splitlines()[0] for each in told] == ["False False", "True True"]
    assert told[0].stdout.splitlines()[1:] == told[1].stdout.splitlines()[1:]
