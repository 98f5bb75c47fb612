"""What services mean to each other."""

import pytest

from .conftest import Loading, Mistakes


def stack(*services: str) -> str:
    """A stack with one service a line, from line 2 on."""
    return "services:\n" + "".join(f"  {service}\n" for service in services)


def places(warnings: tuple[str, ...]) -> list[str]:
    return [warning.partition("services.yaml:")[2] for warning in warnings]


def test_pools_that_overlap_name_both_services_and_the_ports(mistakes: Mistakes) -> None:
    text = stack(
        "a: {command: a, pool: 6000-6004}",
        "b: {command: b, pool: [7000, 6004, 6002]}",
        "c: {command: c, pool: 6000-6002}",
        "d: {command: d, pool: 7000}",
    )
    hint = "(a port belongs to one service)"
    assert mistakes(text) == [
        f"3:25 services.b.pool: ports 6004 and 6002 also in the pool of `a` (line 2) {hint}",
        f"4:25 services.c.pool: ports 6000-6002 also in the pool of `a` (line 2) {hint}",
        f"5:25 services.d.pool: port 7000 also in the pool of `b` (line 3) {hint}",
    ]


@pytest.mark.parametrize(
    ("pool", "warning"),
    [
        ("6000", "only one port, 3 to 5 leave room to rotate"),
        ("[6000, 6001]", "only two ports, 3 to 5 leave room to rotate"),
        ("6000-6005", "6 ports, all of them are held; 3 to 5 do"),
        ("[80, 443, 8080]", "ports below 1024 may need root: 80 and 443"),
        (
            "40000-40002",
            "the system gives such ports to outgoing connections, they may be in use at any time: 40000-40002",
        ),
    ],
)
def test_an_unwise_pool_is_a_warning(loading: Loading, pool: str, warning: str) -> None:
    loaded = loading(stack(f"a: {{command: a, pool: {pool}}}"), ephemeral=range(32768, 61000))
    assert places(loaded.warnings) == [f"2:25: services.a.pool: {warning}"]


@pytest.mark.parametrize("pool", ["6000-6002", "6000-6004", "[32767, 61000, 1024]"])
def test_a_wise_pool_is_none(loading: Loading, pool: str) -> None:
    assert loading(stack(f"a: {{command: a, pool: {pool}}}"), ephemeral=range(32768, 61000)).warnings == ()


def test_the_port_variable_set_twice_is_a_warning(loading: Loading) -> None:
    text = stack("a: {command: a, pool: 6000-6002, port_env: P, environment: {PORT: 1, P: 2}}")
    assert places(loading(text).warnings) == [
        "2:72: services.a.environment: `P` is also the service's `port_env`, the port of the pool wins"
    ]


def test_the_port_can_not_go_into_a_variable_that_portsup_sets(mistakes: Mistakes) -> None:
    assert mistakes(stack("a: {command: a, pool: 6000, port_env: PORTSUP_A_PORT}")) == [
        "2:41 services.a.port_env: `PORTSUP_A_PORT` is set by portsup (choose another name)"
    ]


def test_a_variable_without_a_value_inside_or_outside_is_a_warning(loading: Loading) -> None:
    text = stack("a: {command: a, environment: {HERE: , THERE: }}")
    loaded = loading(text, {"HERE": "x"})
    assert loaded.services["a"].environment == {"HERE": "x"}
    assert places(loaded.warnings) == [
        "2:41: services.a.environment: `THERE` has no value here or outside: portsup does not set it"
    ]


def test_a_folder_that_is_not_there_yet_is_a_warning(loading: Loading) -> None:
    assert places(loading(stack("a: {command: a, working_dir: later}")).warnings) == [
        "2:32: services.a.working_dir: there is no directory `later` yet"
    ]


def test_dependencies_lead_to_services_that_exist(mistakes: Mistakes) -> None:
    text = stack("api: {command: a, depends_on: [data, api]}", "database: {command: b, depends_on: {apu: ready}}")
    assert mistakes(text) == [
        "2:34 services.api.depends_on: there is no service `data` (did you mean `database`?)",
        "2:40 services.api.depends_on: `api` depends on itself (leave it out)",
        "3:39 services.database.depends_on: there is no service `apu` (did you mean `api`?)",
    ]


def test_a_cycle_is_shown_once_and_whole(mistakes: Mistakes) -> None:
    text = stack(
        "a: {command: a, depends_on: [b]}",
        "b: {command: b, depends_on: [d, c]}",
        "c: {command: c, depends_on: {a: started}}",
        "d: {command: d}",
        "e: {command: e, depends_on: [a, f]}",
        "f: {command: f, depends_on: [e]}",
    )
    assert mistakes(text) == [
        "4:32 services.c.depends_on: a cycle, a -> b -> c -> a (remove one of the links)",
        "7:32 services.f.depends_on: a cycle, e -> f -> e (remove one of the links)",
    ]


def test_a_cycle_of_hundreds_is_told_in_a_line(mistakes: Mistakes) -> None:
    text = stack(*(f"s{n}: {{command: a, depends_on: [s{(n + 1) % 900}]}}" for n in range(900)))
    assert mistakes(text) == [
        "901:35 services.s899.depends_on: a cycle, s0 -> s1 -> s2 -> s3 -> s4 -> (894 more) -> s899 -> s0 "
        "(remove one of the links)"
    ]


def test_waiting_for_what_never_happens_is_a_mistake(mistakes: Mistakes) -> None:
    text = stack(
        "job: {command: a, restart: always}",
        "a: {command: a, depends_on: {job: completed}}",
        "b: {command: b, depends_on: {job: {condition: listening}}}",
    )
    assert mistakes(text) == [
        "3:37 services.a.depends_on: `job` never completes, its restart is `always` "
        "(give `job` restart `on-failure` or `never`)",
        "4:49 services.b.depends_on: `job` never listens, it has no `pool` "
        "(use `started` or `completed_ok`, or give `job` a pool)",
    ]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("ready: listening", "2:26 services.a.ready: `listening` needs a port, and the service has no `pool`"),
        ("ready: {tcp: true}", "2:27 services.a.ready: `tcp` needs a port, and the service has no `pool`"),
        ("healthcheck: {http: /}", "2:33 services.a.healthcheck: `http` needs a port, and the service has no `pool`"),
        ("port_env: P", "2:19 services.a.port_env: there is no `pool`, so it has no port"),
        ("environment: {A: '{port}'}", "2:37 services.a.environment.A: `{port}` needs a port, and the service has no "),
    ],
)
def test_a_job_without_ports_can_not_be_asked_at_one(mistakes: Mistakes, keys: str, problem: str) -> None:
    (found,) = mistakes(stack(f"a: {{command: a, {keys}}}"))
    assert found.startswith(problem)


def test_a_job_without_ports_is_ready_once_started(loading: Loading) -> None:
    assert loading(stack("a: {command: a}")).services["a"].ready.probe.kind == "started"


def test_two_names_that_lead_to_one_variable_clash(mistakes: Mistakes) -> None:
    assert mistakes(stack("my-api: {command: a}", "my.api: {command: a}")) == [
        "3:3 services.my.api: `my.api` and `my-api` both become the variable `PORTSUP_MY_API_PORT` (rename one of them)"
    ]


def test_a_mistake_in_a_pool_does_not_bring_others_with_it(mistakes: Mistakes) -> None:
    text = stack(
        "a: {command: ['{port}'], pool: 0-3, ready: {http: /}, port_env: P}",
        "b: {command: ['{url:a}'], depends_on: {a: listening}}",
    )
    assert [problem.partition(" ")[0] for problem in mistakes(text)] == ["2:34"]


def test_socket_activation_needs_a_port_and_a_probe_that_tells_something(loading: Loading, mistakes: Mistakes) -> None:
    assert mistakes(stack("a: {command: a, handoff: systemd}")) == [
        "2:28 services.a.handoff: `systemd` passes a socket, and the service has no `pool` (give it a `pool`)"
    ]
    service = "command: [a, '{fd}'], environment: {FD: '{fd}'}, pool: 6000-6002, handoff: systemd"
    for ready, told in (("", "listening"), (", ready: {timeout: 5s}", "listening"), (", ready: {tcp: true}", "tcp")):
        (warning,) = loading(stack(f"a: {{{service}{ready}}}")).warnings
        assert f"`ready: {told}` says nothing about the program" in warning
    assert loading(stack(f"a: {{{service}, ready: {{http: /}}}}")).warnings == ()


def test_the_descriptor_is_for_the_program_of_a_service_that_gets_one(mistakes: Mistakes) -> None:
    hint = "(give it that, or use `{port}`)"
    reason = "`{fd}` is the socket of a service with `handoff: systemd`"
    probe = "ready: {exec: [a, '{fd}']}"
    assert mistakes(stack("a: {command: [a, '{fd}'], pool: 6000-6002}")) == [
        f"2:21 services.a.command: {reason} {hint}"
    ]
    assert mistakes(stack(f"a: {{command: a, pool: 6000-6002, handoff: systemd, {probe}}}")) == [
        f"2:73 services.a.ready.exec: {reason} {hint}"
    ]


def test_what_the_protocol_says_cannot_be_set_by_hand(loading: Loading, mistakes: Mistakes) -> None:
    service = "command: a, pool: 6000-6002, ready: started, environment: {LISTEN_FDS: 1}"
    assert loading(stack(f"a: {{{service}}}")).warnings == ()
    assert mistakes(stack(f"a: {{{service}, handoff: systemd}}")) == [
        "2:66 services.a.environment: `LISTEN_FDS` is set by portsup with `handoff: systemd` (leave it out)"
    ]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("idle_stop: 15m", "services.a.idle_stop: its next client starts it again, and the service has no `pool`"),
        ("pool: 6000-6002, idle_stop: 15m, handoff: off", "on a socket of portsup, and `handoff: off` leaves the port"),
        ("pool: 6000-6002, idle_check: {exec: a}", ".idle_check: there is no `idle_stop` that it could belong to"),
        ("pool: 6000-6002, idle_when: {cpu_below: 2%}", "there is no `idle_stop` that it could belong to"),
        ("pool: 6000-6002, idle_stop: 1m, idle_when: {cpu_below: much}", "a share of one processor such as 2%"),
        ("pool: 6000-6002, idle_stop: 1m, idle_check: {}", "exec"),
    ],
)
def test_what_cannot_stop_for_want_of_clients_is_a_mistake(mistakes: Mistakes, keys: str, problem: str) -> None:
    (found,) = mistakes(stack(f"a: {{command: a, {keys}}}"))
    assert problem in found


def test_a_check_that_connects_counts_as_a_client_and_is_warned_of(loading: Loading) -> None:
    (warning,) = loading(stack("a: {command: a, pool: 6000-6002, idle_stop: 1m, healthcheck: {exec: x}}")).warnings
    assert "a command that connects to the service counts as its client" in warning


@pytest.mark.parametrize(
    ("keys", "warning"),
    [
        ("pool: 6000-6002, idle_min_up: 5s", "services.a.idle_min_up: without `idle_stop` it has no effect"),
        ("pool: 6000-6002, start_timeout: 5s", "services.a.start_timeout: no client starts this service"),
        ("pool: 6000-6002, watch: nowhere", "services.a.watch.paths: there is no `nowhere` here"),
        ("pool: 6000-6002, watch: {paths: [., src]}", "services.a.watch.paths: there is no `src` here"),
    ],
)
def test_what_has_no_effect_is_a_warning(loading: Loading, keys: str, warning: str) -> None:
    (found,) = loading(stack(f"a: {{command: a, {keys}}}")).warnings
    assert warning in found


@pytest.mark.parametrize(
    "keys",
    [
        "idle_stop: 1m, idle_min_up: 5s", "start: on-connect, start_timeout: 5s", "watch: .",
        "start_timeout: 5s, memory_cost: 1GB",
    ],
)  # fmt: skip
def test_what_has_an_effect_is_none(loading: Loading, keys: str) -> None:
    text = stack(f"a: {{command: a, pool: 6000-6002, {keys}}}")
    assert loading(text + ("budget: {memory: 2GB}\n" if "cost" in keys else "")).warnings == ()


@pytest.mark.parametrize(
    ("key", "hint"), [("ttl: 5m", "write `idle_stop: 5m`"), ("on_connect: true", "`start: on-connect`")]
)
def test_keys_of_others_for_what_comes_when_called_have_a_hint(mistakes: Mistakes, key: str, hint: str) -> None:
    (found,) = mistakes(stack(f"a: {{command: a, pool: 6000-6002, {key}}}"))
    assert hint in found


def test_a_likely_placeholder_that_is_none_is_warned_of(loading: Loading) -> None:
    text = "services: {a: {command: [x, '{b.port}'], environment: {U: 'http://h:{port.b}'}}, b: {command: y, pool: 80}}"
    told = [each for each in loading(text).warnings if "is passed on as it is" in each]
    assert [each.partition("; ")[2] for each in told] == ["if it is meant to be filled in, write `{port:b}`"] * 2
