"""The files by which the proxy of `names` finds the services."""

import stat
from pathlib import Path

from supervisor.ports.name_places import NamePlaces


def test_a_name_leads_to_an_address_until_it_is_dropped(tmp_path: Path) -> None:
    places = NamePlaces(str(tmp_path), 1355)
    places.put("web.t.localhost", "127.0.0.1:8000", "run")
    places.put("web.t.localhost", "127.0.0.1:8000", "run")
    places.put("api.t.localhost", "[::1]:8010", "run")
    assert places.listed() == [("api.t.localhost", "[::1]:8010"), ("web.t.localhost", "127.0.0.1:8000")]
    assert stat.S_IMODE(Path(places.addresses, "web.t.localhost").stat().st_mode) == 0o700
    places.drop("web.t.localhost", "127.0.0.1:8000")
    places.drop("web.t.localhost", "127.0.0.1:8000")
    assert places.listed() == [("api.t.localhost", "[::1]:8010")]
    assert not Path(places.addresses, "web.t.localhost").exists()


def test_what_a_dead_run_has_left_is_swept(tmp_path: Path) -> None:
    places = NamePlaces(str(tmp_path), 1355)
    places.sweep(kept=())
    for run in "abc":
        places.put(f"web.{run}.localhost", "127.0.0.1:8000", run)
    places.sweep(gone={"a"})
    assert [host for host, _ in places.listed()] == ["web.b.localhost", "web.c.localhost"]
    places.sweep(kept={"c"})
    assert [host for host, _ in places.listed()] == ["web.c.localhost"]


def test_nothing_runs_where_nothing_ever_ran(tmp_path: Path) -> None:
    assert not NamePlaces(str(tmp_path), 1355).is_running()
