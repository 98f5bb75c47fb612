"""One subscription of a stack that runs: everything, each change, what services use; and the history of a port."""

import os
import signal
import socket

import pytest

from supervisor.api.picture import Picture
from supervisor.api.stack import Stack
from tests.live.conftest import Make
from tests.live.stack import SLEEPS
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


def test_a_picture_is_kept_and_goes_on_where_it_was_left(stack: Make) -> None:
    pool = free_pool(2)
    live = stack({"web": {"command": program("listens"), "pool": list(pool)}, "job": SLEEPS})
    with live.up():
        api, picture = Stack(live.runtime / "t-1.sock"), Picture()
        updates = api.subscribe(picture, events=True, usage=True)
        first = next(updates)
        assert first.status is not None
        assert set(picture.services) == {"web", "job"}
        usage = next(each.usage for each in updates if each.usage is not None)
        assert usage.services["web"].processes == (1,)
        assert api.trend("job").times == usage.times
        os.kill(picture.services["web"].pid or 0, signal.SIGKILL)
        told = next(each.event for each in updates if each.event is not None and each.event.event == "service restarts")
        assert told.service == "web"
        updates.close()  # type: ignore[attr-defined]
        live.until("web", state="running", restarts=1)
        live.do("stop", "job")
        back = next(api.subscribe(picture))
        assert back.status is None
        assert picture.services["job"].state == "stopped"
        assert picture.services["web"].restarts == 1
        assert next(api.subscribe(picture)).changed is None


def test_the_history_of_a_port_tells_who_had_it(stack: Make) -> None:
    taken, other = free_pool(2)
    live = stack({"web": {"command": program("listens"), "pool": [taken, other]}})
    with socket.create_server(("127.0.0.1", taken)), live.up():
        api = Stack(live.runtime / "t-1.sock")
        (skipped, *_) = api.port_history(taken)
        assert skipped.event == "port skipped"
        assert (skipped.service, skipped.facts["port"], list(skipped.facts["skipped"])) == ("web", other, [str(taken)])  # type: ignore[call-overload]
        assert {"service spawned", "service ready"} <= {each.event for each in api.port_history(other)}
        assert api.port_history(1) == []


def test_what_keeps_a_service_from_being_ready_is_told_while_it_is_tried(stack: Make) -> None:
    pool = list(free_pool(2))
    web = {"command": program("listens"), "pool": pool[:1], "ready": {"log": "never said", "timeout": "60s"}}
    live = stack({"web": web, "quiet": {"command": ["sleep", "1000"], "pool": pool[1:], "ready": {"timeout": "60s"}}})
    with live.foreground():
        live.until("quiet", state="starting")
        api, picture = Stack(live.runtime / "t-1.sock"), Picture()
        for _ in api.subscribe(picture):
            reasons = {name: row.reason for name, row in picture.services.items()}
            if reasons.get("quiet") and "never said" in reasons.get("web", ""):
                break
        assert reasons["quiet"] == f"nothing listens on port {pool[1]}"
        assert reasons == {name: row["reason"] for name, row in live.rows().items()}
