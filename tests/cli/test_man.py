"""`portsup man`: a page that the formatter of manual pages likes, with everything that the help tells."""

import re
import subprocess

import pytest

from supervisor.cli import parser
from supervisor.cli.commands import LINES
from tests.cli.conftest import Run
from tests.support.needed import need_program


def test_every_command_and_option_is_on_the_page(run: Run) -> None:
    ran = run("man")
    assert (ran.code, ran.err) == (0, "")
    text = ran.out.replace("\\-", "-")
    parts = re.split(r"\n\.S[SH] ", text)
    for name in LINES:
        part = next(part for part in parts if re.match(rf'"portsup {name}[ "]', part))
        assert f"{LINES[name][0].upper()}{LINES[name][1:]}." in part.splitlines()
        for option in (option for action in parser.build(name)._actions for option in action.option_strings):
            assert option in text, (name, option)


def test_no_line_of_ours_is_taken_for_a_request(run: Run) -> None:
    known = (".TH ", ".SH ", ".SS ", ".TP", ".B ", ".PP", ".nf", ".fi")
    lines = run("man").out.splitlines()
    assert [line for line in lines if line.startswith((".", "'")) and not line.startswith(known)] == []


@pytest.mark.live
def test_groff_has_nothing_to_say(run: Run) -> None:
    need_program("groff", "groff-base")
    page = run("man").out
    command = ["groff", "-man", "-ww", "-Tascii", "-P-cbou"]  # no bold, no colour
    ran = subprocess.run(command, input=page, capture_output=True, text=True, timeout=20, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    shown = " ".join(ran.stdout.split())
    assert "portsup rotate [--on ADDRESS] SERVICE" in shown
    assert "portsup exec --pool 6000-6002 -- python3 -m http.server {port}" in shown
