"""Following logs that come only after it has begun."""

from pathlib import Path

from supervisor.config.spec import LogLimits
from supervisor.logs.service_log import ServiceLog
from supervisor.logs.tail import Follower

LIMITS = LogLimits(max_size=1 << 20, backups=3)


def looks_again(follower: Follower) -> bool:
    """Whether there may be other files, of which it has been told then."""
    may_be_more, follower.may_be_more = follower.may_be_more, False
    return may_be_more


def test_logs_that_were_not_there_are_added_from_their_first_line(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", LIMITS)
    log.write("stdout", b"1\n", 1.0)
    follower = Follower({"web": tmp_path / "web.log"}, 2)
    list(follower.last())
    assert follower.new() == []
    assert looks_again(follower), "it may have come before there was a watch"
    follower.wait(0)
    assert not looks_again(follower)
    second = ServiceLog(tmp_path / "web@2.log", LIMITS)
    second.write("stdout", b"a\n", 2.0)
    log.write("stdout", b"2\n", 3.0)
    follower.wait(20)
    assert looks_again(follower)
    follower.add({"web.1": tmp_path / "web.log", "web.2": tmp_path / "web@2.log"})
    assert [(line.service, line.message) for line in follower.new()] == [("web.2", "a"), ("web.1", "2")]
    second.write("stdout", b"b\n", 4.0)
    assert [(line.service, line.message) for line in follower.new()] == [("web.2", "b")]
    for each in (log, second, follower):
        each.close()
