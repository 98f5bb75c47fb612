"""Variables that many programs get are encoded once, and each program gets them all the same."""

import json
import os
import sys
from collections import ChainMap

import pytest

from supervisor.process import vfork
from supervisor.process.spawn import Command, spawn
from tests.support.children import PROGRAMS

pytestmark = pytest.mark.live


@pytest.mark.parametrize("way", ["vfork", "fork"])
def test_what_many_programs_get_comes_with_what_each_has_of_its_own(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "fork":
        monkeypatch.setattr(vfork, "works", lambda: False)
    of_many = {f"SHARED_{number}": f"ñ {number}" for number in range(300)}
    others = {"SHARED_0": "another"}
    own = {"OWN": "1"}
    for shared, mine in ((of_many, own), (of_many, {**own, "SHARED_7": "its own"}), (others, own), (of_many, own)):
        listen, tell = os.pipe()
        program = [sys.executable, "-IS", str(PROGRAMS / "prints_environment.py")]
        pid = spawn(Command(program, ChainMap(mine, shared), "/", tell, tell))
        os.close(tell)
        with open(listen, "rb") as told:
            assert json.load(told).items() >= {**shared, **mine}.items()
        os.waitpid(pid, 0)
