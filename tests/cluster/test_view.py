"""How the services look from a node."""

import pytest

from supervisor.cluster.view import document, is_met, missing, place_of, seen_from

TABLE = {
    "api": {"node_id": "a", "address": "10.0.0.1", "port": 8101, "expose": True, "state": "running"},
    "db": {"node_id": "b", "address": "127.0.0.1", "port": 5433, "expose": False, "state": "running"},
}
POOLS = {"api": [8100, 8101], "db": [5432, 5433], "job": [], "late": [9000]}


def test_an_exposed_service_is_at_the_address_of_its_node_from_everywhere() -> None:
    for node in "ab":
        assert seen_from(TABLE, node, POOLS)["api"] == {
            "port": 8101, "host": "10.0.0.1", "url": "http://10.0.0.1:8101", "pool": [8100, 8101],
        }  # fmt: skip


def test_one_that_is_not_exposed_is_there_for_its_own_node_alone() -> None:
    assert seen_from(TABLE, "b", POOLS)["db"]["port"] == 5433
    assert seen_from(TABLE, "a", POOLS)["db"]["port"] == 5432


def test_one_that_is_nowhere_yet_is_where_it_would_be_first() -> None:
    assert seen_from(TABLE, "a", POOLS)["late"]["url"] == "http://127.0.0.1:9000"
    assert "job" not in seen_from(TABLE, "a", POOLS)


def test_the_document_says_for_whom_it_is() -> None:
    assert document("shop", 1, {}, "api") == {"stack": "shop", "instance": 1, "here": "api", "services": {}}


@pytest.mark.parametrize(
    ("condition", "facts", "met"),
    [
        ("started", {}, False),
        ("started", {"state": "starting", "reached": "started"}, True),
        ("started", {"state": "failed"}, True),
        ("listening", {"state": "starting", "reached": "started"}, False),
        ("listening", {"state": "starting", "reached": "listening"}, True),
        ("ready", {"state": "running", "reached": "ready"}, True),
        ("ready", {"state": "unknown", "reached": "ready"}, False),
        ("ready", {"state": "failed", "reached": "none"}, False),
        ("ready", {"state": "exited", "is_done": True}, True),
        ("completed", {"state": "failed"}, True),
        ("completed", {"state": "running", "reached": "ready"}, False),
        ("completed_ok", {"state": "failed"}, False),
        ("completed_ok", {"state": "exited", "is_done": True}, True),
    ],
)
def test_a_condition_is_met_by_what_is_known(condition: str, facts: dict[str, object], met: bool) -> None:
    assert is_met(condition, facts) is met
    assert missing({"api": condition}, {"api": facts}) == ([] if met else ["api"])


def test_a_move_is_another_node_or_another_port() -> None:
    api = TABLE["api"]
    assert place_of(api) == place_of({**api, "state": "starting", "pid": 5})
    assert place_of(api) != place_of({**api, "port": 8100})
    assert place_of(api) != place_of({**api, "node_id": "b"})
