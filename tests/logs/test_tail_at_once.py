"""Logs of which very much comes at once are followed a part at a time."""

import os
from pathlib import Path

import pytest

from supervisor.config.spec import LogLimits
from supervisor.logs import tail
from supervisor.logs.service_log import ServiceLog
from supervisor.logs.tail import Follower

MOST = 10


@pytest.fixture(autouse=True)
def _few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "MOST_AT_ONCE", MOST)


def batches(follower: Follower) -> list[list[tuple[float, str]]]:
    found = []
    while lines := follower.new():
        found.append([(line.time, line.message) for line in lines])
    return found


@pytest.mark.parametrize("max_size", [200, 100_000], ids=["rotated", "one file"])
@pytest.mark.parametrize("count", [MOST - 1, MOST, MOST + 1, 7 * MOST])
def test_they_come_in_parts_in_the_order_of_time_and_none_twice(tmp_path: Path, max_size: int, count: int) -> None:
    limits = LogLimits(max_size=max_size, backups=100)
    logs = {name: ServiceLog(tmp_path / f"{name}.log", limits) for name in ("web", "api")}
    with Follower({name: tmp_path / f"{name}.log" for name in logs}) as follower:
        list(follower.last())
        for round_ in range(3):  # what came before was read to its end
            written = [(round_ * 1000.0 + number, f"{name} {number}") for number in range(count) for name in logs]
            for time, text in written:
                logs[text.split()[0]].write("stdout", f"{text}\n".encode(), time)
            found = batches(follower)
            assert [line for batch in found for line in batch] == written
            assert {len(batch) for batch in found[:-1]} <= {MOST}
            assert len(found[-1]) <= MOST


def test_what_is_written_meanwhile_comes_too_and_nothing_stays_open(tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    log = ServiceLog(tmp_path / "web.log", LogLimits(max_size=200, backups=100))
    with Follower({"web": tmp_path / "web.log"}) as follower:
        list(follower.last())
        told: list[str] = []
        for number in range(200):
            log.write("stdout", b"line %d\n" % number, float(number))
            if number % 50 == 49:
                told += [line.message for line in follower.new()]
        assert told == [f"line {number}" for number in range(4 * MOST)]
        told += [text for batch in batches(follower) for _, text in batch]
        assert told == [f"line {number}" for number in range(200)]
        for number in range(3 * MOST):
            log.write("stdout", b"%030d\n" % number, 1000.0 + number)
        assert len(follower.new()) == MOST  # and the rest of it is not wanted
    log.close()
    assert set(os.listdir("/proc/self/fd")) == before
