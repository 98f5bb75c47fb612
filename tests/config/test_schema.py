"""The JSON Schema says what the loader does."""

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import jsonschema_rs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.keys.stack import STACK
from supervisor.config.kinds import Key, Named, Section, Several
from supervisor.config.schema import partial, schema
from supervisor.errors import ConfigError
from tests.support.budget import tries

from .conftest import Loading

CHECKER = jsonschema.Draft202012Validator(schema())


def test_a_file_that_is_laid_over_another_needs_nothing_and_may_take_away() -> None:
    jsonschema_rs.meta.validate(partial())
    over = jsonschema.Draft202012Validator(partial())
    good: list[dict[str, Any]] = [
        {},
        {"services": {"web": None}},
        {"services": {"web": {"environment": {"A": "b"}, "healthcheck": None, "pool": [8000]}}},
        {"services": {"web": {"healthcheck": {"interval": "5s"}, "ready": {"http": {"status": 204}}}}},
    ]
    assert [list(over.iter_errors(each)) for each in good] == [[]] * len(good)
    bad: list[dict[str, Any]] = [
        {"service": {}},
        {"services": {"web": {"comand": "x"}}},
        {"services": {"web": {"bind": "x"}}},
        {"services": {"web": {"healthcheck": {"tcp": True, "exec": ["a"]}}}},
    ]
    assert [over.is_valid(each) for each in bad] == [False] * len(bad)


def test_the_schema_is_one() -> None:
    jsonschema_rs.meta.validate(schema())
    assert json.loads(json.dumps(schema())) == schema()
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def keys_of(section: Section) -> list[Key]:
    found: list[Key] = []
    for key in section.keys:
        kind = key.kind.section if isinstance(key.kind, Named | Several) else key.kind
        found += [key, *(keys_of(kind) if isinstance(kind, Section) else ())]
    return found


def test_every_key_is_described_in_a_sentence() -> None:
    for key in keys_of(STACK):
        assert key.doc[0].isupper(), key.name
        assert key.doc.endswith("."), key.name
        assert key.name not in key.also


def test_no_name_of_a_peer_is_a_key_of_ours_or_stands_for_two() -> None:
    for section in (STACK, *(key.kind for key in keys_of(STACK) if isinstance(key.kind, Section))):
        names = [key.name for key in section.keys] + [other for key in section.keys for other in key.also]
        assert len(names) == len(set(names))


SERVICE: dict[str, list[Any]] = {
    "description": ["words", ""],
    "command": ["a b", ["a", 1, 1.5, True], ["sh", "-c", "echo $PORT"]],
    "pool": [6000, "6000-6002", [6000, 6002], [6000, "6001-6003"], {"base": 6000}, {"base": 6000, "size": 9}],
    "port_env": ["PORT", "_X1"],
    "fetch_url": ["http://127.0.0.1:9000/a", "https://a.example"],
    "environment": [{}, {"A": "x", "B": 1, "C": None, "D": True}, ["A=1", "B", "C="]],
    "env_file": [[], {"path": "x", "required": False}],
    "working_dir": [".", "..", "/tmp"],
    "depends_on": [[], {}],
    "profiles": [[], ["dev"], ["Dev_1.x", "b-2"]],
    "autostart": [True, False],
    "start": ["with-stack"],
    "start_timeout": ["30s", 2.5],
    "replicas": [1],
    "min_ready": [1],
    "idle_stop": ["15m"],
    "idle_min_up": [0, "1m"],
    "idle_when": [{"cpu_below": "2%"}, {"cpu_below": "0.5"}, {"cpu_below": 5}],
    "idle_check": [{"exec": "a"}, {"exec": ["a"], "timeout": 3}],
    "one_shot": [False],
    "watch": [
        "src",
        ["a", "b"],
        {"paths": "a", "ignore": ["*.x"], "settle": "1s", "action": "reload"},
        {"action": {"run": "make x"}},
    ],
    "ready": [
        "listening",
        "started",
        {"http": "/"},
        {"tcp": True, "timeout": 3},
        {"exec": "a"},
        {"log": "a|b"},
        {},
        {"notify": True},
    ],
    "healthcheck": [{"http": "/x"}, {"tcp": True, "interval": "1s", "timeout": 0.5, "retries": 1}, {"exec": ["a"]}],
    "restart": ["never", "on-failure", "always"],
    "success_exit_codes": [[], [3], [0, 75, 255]],
    "on_end": ["ignore", "stop_all", {}, {"success": "stop_all"}, {"failure": "stop_all", "success": "ignore"}],
    "restart_policy": [
        {},
        {"delay": 0, "factor": 1, "max_delay": "1h30m", "max_restarts": 0, "period": "2m"},
        {"max_restarts": "infinite"},
    ],
    "hooks": [
        {},
        {"pre_start": "a", "post_start": ["a", 1]},
        {"pre_stop": {"command": "a", "timeout": "4s"}},
        {"post_stop": {"command": ["a"]}},
    ],
    "stop_command": ["a", {"command": "a"}],
    "stop_signal": ["SIGINT", "int", 2, {"signal": "INT", "to": "main"}, {"to": "group"}, {}],
    "stdin": ["null", None, "open"],
    "pid_file": ["run/x.pid", "x-{port}.pid"],
    "stop_grace_period": [0, "500ms", 2.5],
    "handoff": ["auto", "off", "systemd"],
    "bind": ["report", "strict", "move"],
    "watchdog": ["100ms", 10, "1m"],
    "notify_socket": ["auto", "path", "abstract"],
    "rotate_after": [1, 1000],
    "quarantine": ["0s", 60],
    "on_port_change": ["restart", "ignore", {"signal": "HUP"}, "signal: SIGUSR1"],
    "user": ["nobody", "_www", 1000, "1000", "svc$"],
    "group": ["nogroup", 0],
    "umask": ["022", "0077"],
    "memory_limit": ["500MB", 2**30],
    "memory_cost": ["2GB", 2**20],
    "gpu_memory_cost": ["8GB"],
    "limits": [
        {},
        {"nofile": 1024, "cpu_time": "1m", "address_space": "1GB", "core": 0},
        {"nproc": "unlimited", "cpu_time": "unlimited", "stack": "unlimited"},
    ],
    "place": [{}, {"cpus": 0.5, "gpus": 1, "labels": {"zone": "b"}, "node": "n1", "spread": True}],
    "expose": [True, False],
    "logging": [{}, {"max_size": "4KB", "backups": 0}, {"max_size": 4096}, {"redact": False}],
}


def agreeing(service: dict[str, Any]) -> dict[str, Any]:
    """Without what the schema cannot say: `idle_stop` needs the handoff, and what belongs to it needs `idle_stop`."""
    if "idle_stop" in service:
        return {name: value for name, value in service.items() if (name, value) != ("handoff", "off")}
    return {name: value for name, value in service.items() if not name.startswith("idle_")}


GOOD = st.fixed_dictionaries(
    {"services": st.fixed_dictionaries({"web": st.fixed_dictionaries(
        {name: st.sampled_from(SERVICE[name]) for name in ("command", "pool")},
        optional={name: st.sampled_from(some) for name, some in SERVICE.items() if name not in ("command", "pool")},
    ).map(agreeing)})},
    optional={
        "name": st.sampled_from(["a", "my-stack.2"]),
        "instances": st.sampled_from([{}, {"stride": 1}]),
        "ports": st.sampled_from([{}, {"strict": True}]),
        "engine": st.sampled_from([{}, {"ray": {}}, {"ray": {"lease": "20s", "grace": 2}}]),
        "render": st.just([]),
        "x-anything": st.sampled_from([1, {"a": [None]}]),
    },
)  # fmt: skip


def test_the_samples_cover_every_key_of_a_service() -> None:
    services = next(key.kind for key in STACK.keys if key.name == "services")
    assert isinstance(services, Named)
    names = {key.name for key in services.section.keys}
    assert set(SERVICE) == names - {"extends", "schedule", "stdio"}, "which need other keys: their tests have them"


@tries(5, 1000)
@given(GOOD)
def test_what_the_schema_allows_is_loaded(loading: Loading, data: dict[str, Any]) -> None:
    CHECKER.validate(data)
    loading(yaml.safe_dump(data, sort_keys=False))


WRONG: list[dict[str, Any]] = [
        {"handoff": "on-demand"}, {"bind": "refuse"},
        {"pool": 0}, {"pool": []}, {"pool": "six"}, {"pool": {"size": 2}}, {"port_env": "1"},
        {"environment": {"A": []}}, {"environment": {"A B": 1}}, {"environment": [1]}, {"depends_on": "x"},
        {"depends_on": {"x": "redy"}}, {"ready": "redy"}, {"ready": {"http": "x"}}, {"ready": {"tcp": False}},
        {"ready": {"tcp": True, "http": "/"}}, {"healthcheck": {}}, {"healthcheck": {"http": "/", "tcp": True}},
        {"restart": "no"}, {"success_exit_codes": [256]}, {"success_exit_codes": 3},
        {"restart_policy": {"factor": 0}}, {"stop_grace_period": "10sec"}, {"rotate_after": 0},
        {"on_port_change": "kill"}, {"on_port_change": {}}, {"logging": {"max_size": "big"}}, {"quarantine": -1},
        {"env_file": {"required": True}}, {"description": 5}, {"stop_signal": []},
        {"watch": {"paths": [""]}}, {"watch": {"settle": 0}}, {"watch": {"action": "kill"}},
        {"schedule": "0 3 * *"}, {"schedule": {"timezone": "UTC"}}, {"schedule": {"cron": "* * * * *", "jitter": -1}},
        {"fetch_url": "localhost:9000"}, {"fetch_url": "/a"}, {"fetch_url": 9000},
]  # fmt: skip
BAD: list[tuple[str, Any]] = [
    ("nme", "a"),
    ("name", "My Stack"),
    ("instances", {"stride": 0}),
    ("instances", {"strode": 1}),
    ("ports", {"strict": "yes"}),
    ("render", {"template": "a", "to": "b"}),
    ("render", [{"template": "a"}]),
    ("render", [{"template": "a", "to": "b", "on_change": {}}]),
    ("render", [{"template": "a", "to": "b", "on_change": {"signal": {"service": "a"}}}]),
    ("services", {}),
    ("services", []),
    ("services", {"Web": {"command": "a"}}),
    ("services", {"portsup": {"command": "a"}}),
    ("services", {"web": {}}),
    ("services", {"web": {"command": []}}),
    ("services", {"web": {"command": [None]}}),
    *(("services", {"web": {"command": "a", "pool": 6000} | wrong}) for wrong in WRONG),
]


@pytest.mark.parametrize(("key", "value"), BAD, ids=repr)
def test_what_the_loader_refuses_the_schema_refuses(loading: Loading, key: str, value: Any) -> None:
    data = {"services": {"web": {"command": "a", "pool": 6000}}} | {key: value}
    assert not CHECKER.is_valid(data)
    with pytest.raises(ConfigError):
        loading(yaml.safe_dump(data))


def test_a_reference_to_a_variable_is_allowed_where_a_number_or_a_word_is() -> None:
    service = {"command": "a", "pool": "${P}", "restart": "${R:-always}", "rotate_after": "${N}", "ready": "${W}"}
    CHECKER.validate({"services": {"web": service}, "ports": {"strict": "${S}"}})
