"""Any stretch of many lines, held against all of them."""

import random
import tracemalloc
from pathlib import Path

import pytest

from supervisor.config.spec import LogLimits
from supervisor.logs import scroll
from supervisor.logs.scroll import Scroll
from supervisor.logs.service_log import ServiceLog
from tests.support.budget import budget

NAMES = ("api", "db", "web")


class Written:
    """Logs that grow, and every line that they ever had, in the order of time."""

    def __init__(self, folder: Path, chance: random.Random, limits: LogLimits) -> None:
        self.logs = {name: ServiceLog(folder / f"{name}.log", limits) for name in NAMES}
        self.paths = {name: folder / f"{name}.log" for name in NAMES}
        self.lines: list[str] = []
        self.times: list[float] = []
        self._chance = chance
        self._now = 1000.0

    def write(self, count: int) -> None:
        for _ in range(count):
            self._now += self._chance.choice([0.01, 0.5])
            name = self._chance.choice(NAMES)
            text = f"{name} {len(self.lines)} {'x' * self._chance.choice([0, 3, 200])}".strip()
            self.logs[name].write("stdout", f"{text}\n".encode(), self._now)
            self.lines.append(text)
            self.times.append(self._now)

    def close(self) -> None:
        for log in self.logs.values():
            log.close()


@pytest.mark.parametrize("seed", range(8))
def test_every_stretch_is_the_one_of_all_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(scroll, "_BLOCK", chance.choice([64, 300, 1 << 16]))
    written = Written(tmp_path, chance, LogLimits(max_size=chance.choice([2000, 1 << 20]), backups=50))
    looked = Scroll(written.paths)
    for _ in range(4):
        written.write(chance.randrange(1, 80))
        looked.refresh()
        assert (looked.first, looked.end) == (0, len(written.lines))
        for _ in range(budget(5, 50)):
            number, count = chance.randrange(len(written.lines) + 2), chance.randrange(1, 30)
            assert [line.message for line in looked.lines(number, count)] == written.lines[number : number + count]
            time = chance.choice(written.times) + chance.choice([0, 0.005])
            assert looked.number_at(time) == sum(each < time for each in written.times)
    looked.close()
    written.close()


def test_one_log_alone_and_none(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", LogLimits())
    log.write("stdout", b"one\ntwo\nthree\nhalf a li", 1.0)
    looked = Scroll({"web": tmp_path / "web.log"})
    looked.refresh()
    assert [line.message for line in looked.lines(1, 9)] == ["two", "three"]
    log.write("stdout", b"ne\n", 2.0)
    looked.refresh()
    assert [line.message for line in looked.lines(3, 9)] == ["half a line"]
    nothing = Scroll({"web": tmp_path / "no.log", "db": tmp_path / "neither.log"})
    nothing.refresh()
    assert (nothing.first, nothing.end, nothing.lines(0, 5), nothing.number_at(0.0)) == (0, 0, [], 0)
    looked.close()
    log.close()


def test_lines_keep_their_numbers_when_rotation_takes_the_oldest_away(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", LogLimits(max_size=100, backups=2))
    looked = Scroll({"web": tmp_path / "web.log"})
    for number in range(60):
        log.write("stdout", f"line {number}\n".encode(), float(number))
        looked.refresh()
    assert looked.first > 0
    assert looked.end == 60
    assert looked.lines(looked.first, 1)[0].message == f"line {looked.first}"
    assert looked.lines(55, 2)[1].message == "line 56"
    looked.close()
    log.close()


def test_a_log_that_was_emptied_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    path.write_text("one\ntwo\n")
    looked = Scroll({"web": path})
    looked.refresh()
    path.write_text("new\n")
    looked.refresh()
    assert [line.message for line in looked.lines(0, 5)] == ["new"]
    looked.close()


def test_a_million_lines_cost_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    path.write_bytes(b"".join(b"line %d of very many\n" % number for number in range(300_000)))
    tracemalloc.start()
    looked = Scroll({"web": path})
    looked.refresh()
    assert looked.lines(250_000, 100)[99].message == "line 250099 of very many"
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    looked.close()
