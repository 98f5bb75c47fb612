"""Every mistake is told with its place, the value, the reason and what to do."""

import pytest

from supervisor.errors import ConfigError, ExitCode

from .conftest import Loading, Mistakes

HEAD = "services:\n  web: {command: a, pool: 6000-6002}\n  it:\n    command: b\n"


def it(*lines: str) -> str:
    """A stack whose second service has these lines, from line 5 on."""
    return HEAD + "".join(f"    {line}\n" for line in lines)


DURATION = "write it like 500ms, 10s, 2m or 1h30m; a plain number is seconds"
SIZE = "write it like 512KB, 10MB or 1GB; a plain number is bytes"


def test_all_mistakes_of_a_file_come_in_one_run(mistakes: Mistakes) -> None:
    text = """\
nme: sandra
instances: {stride: 0}
ports: {strict: yes}
services:
  web:
    comand: httpd
    pool: [6000, 70000]
    restart: allways
    depends_on: [db]
  Web2:
    command: "say 'hello"
    pool: 6000-5990
"""
    assert mistakes(text) == [
        "1:1 the file: unknown key `nme` (did you mean `name`?)",
        "2:21 instances.stride: `0` is too small: at least 1",
        "3:17 ports.strict: `yes` is not true or false (write `true`: YAML 1.2 takes `yes` for text)",
        "6:5 services.web: unknown key `comand` (did you mean `command`?)",
        "7:18 services.web.pool[1]: `70000` is not a port: ports are 1 to 65535",
        "8:14 services.web.restart: `allways` is not one of never, on-failure, always (did you mean `always`?)",
        "9:18 services.web.depends_on: there is no service `db` (services: web, Web2)",
        "10:3 services: `Web2` is not a name: names have lower-case letters, digits, `.`, `_` and `-`, and begin with "
        "a letter or digit (write `web2`)",
        "11:14 services.Web2.command: `say 'hello` cannot be split into words: no closing quotation "
        "(close the quotes, or write the command as a list)",
        "12:11 services.Web2.pool: `6000-5990` ends before it begins (write 5990-6000)",
    ]


def test_a_mistake_is_a_usage_error_that_counts_its_problems(loading: Loading) -> None:
    with pytest.raises(ConfigError) as caught:
        loading("services: {web: {}}\nname: A B\n")
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.why == "it has 2 mistakes"
    assert str(caught.value.problems[0]).endswith("services.yaml:1:17: services.web has no `command`")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("[]", "5:11 services.it.pool: has no port (name at least one, or leave `pool` out for a job without ports)"),
        (
            "",
            "5:10 services.it.pool: expected a list of ports, a range such as 6000-6002, or {base: 6000, size: 3}, "
            "found nothing (give it a value or leave it out)",
        ),
        (
            "0",
            "5:11 services.it.pool: `0` is no port of its own: 0 asks the system for any port "
            "(name the ports that clients use)",
        ),
        ("-5", "5:11 services.it.pool: `-5` is not a port: ports are 1 to 65535"),
        ("65536", "5:11 services.it.pool: `65536` is not a port: ports are 1 to 65535"),
        ("1.5", "5:11 services.it.pool: `1.5` is not a whole number"),
        (
            "http",
            "5:11 services.it.pool: `http` is not a whole number "
            "(write the ports that it may have, such as `8000-8002`)",
        ),
        ("7000..7002", "5:11 services.it.pool: `7000..7002` is not a range of ports (write 7000-7002)"),
        ("7000:7002", "5:11 services.it.pool: `7000:7002` is not a range of ports (write 7000-7002)"),
        ("[7000, ~]", "5:18 services.it.pool[1]: expected a port, found nothing (give it a value or leave it out)"),
        ("[7000, [1]]", "5:18 services.it.pool[1]: expected a port, found a list"),
        ("[7000, 7000]", "5:18 services.it.pool[1]: port 7000 is in the pool already (name each port once)"),
        ("[7000-7002, 7001]", "5:23 services.it.pool[1]: port 7001 is in the pool already (name each port once)"),
        ("{size: 3}", "5:11 services.it.pool has no `base` (The first port.)"),
        ("{base: 65535}", "5:11 services.it.pool: `{base: 65535, size: 3}` ends at 65537: ports are 1 to 65535"),
        ("{base: 7000, count: 3}", "5:24 services.it.pool: unknown key `count` (write `size: 3`)"),
        ("1-65535", "5:11 services.it.pool: `1-65535` is 65535 ports, a pool has at most 256"),
        (
            "06010",
            "5:11 services.it.pool: `06010` starts with 0: some YAML readers take it for an octal number (write 6010)",
        ),
        (
            "6_010",
            "5:11 services.it.pool: `6_010` is a number with underscores, which YAML 1.2 takes for text (write 6010)",
        ),
        ("0x1770", "5:11 services.it.pool: `0x1770` is not a decimal number (write 6000)"),
    ],
)
def test_a_pool_that_makes_no_sense(mistakes: Mistakes, line: str, problem: str) -> None:
    assert mistakes(it(f"pool: {line}")) == [problem]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("description: 5", "5:18 services.it.description: `5` is not text (put it in quotes)"),
        ("description: [a]", "5:18 services.it.description: expected a text, found a list"),
        ("restart: no",
         "5:14 services.it.restart: `no` is not one of never, on-failure, always (write `restart: never`)"),
        (
            "restart: unless-stopped",
            "5:14 services.it.restart: `unless-stopped` is not one of never, on-failure, always "
            "(write `restart: always`)",
        ),
        (
            "restart: on-failure:3",
            "5:14 services.it.restart: `on-failure:3` is not one of never, on-failure, always "
            "(write `restart: on-failure` and `restart_policy: {max_restarts: 3}`)",
        ),
        ("restart: {a: 1}", "5:14 services.it.restart: expected one of never, on-failure, always, found a mapping"),
        (
            "restart_policy: {factor: 0.5}",
            "5:30 services.it.restart_policy.factor: `0.5` is too small: at least 1",
        ),
        (
            "restart_policy: {delay: -1s}",
            f"5:29 services.it.restart_policy.delay: `-1s` is not a duration ({DURATION})",
        ),
        ("restart_policy: always", "5:21 services.it.restart_policy: expected a mapping, found `always` "
         "(write `restart: always`)"),
        ("stop_signal: SIGTRM", "5:18 services.it.stop_signal: `SIGTRM` is not a signal on this system "
         "(did you mean `SIGTERM`?)"),
        ("stop_signal: 999", "5:18 services.it.stop_signal: `999` is not the number of a signal on this system"),
        ("stop_grace_period: 10sec", "5:24 services.it.stop_grace_period: `10sec` is not a duration (write `10s`)"),
        ("stop_grace_period: 1:30", "5:24 services.it.stop_grace_period: `1:30` is not a duration (write `1m30s`)"),
        ("quarantine: 9000h", "5:17 services.it.quarantine: `9000h` is longer than a year"),
        ("rotate_after: 0", "5:19 services.it.rotate_after: `0` is too small: at least 1"),
        ('rotate_after: "3"', "5:19 services.it.rotate_after: `3` is text, not a number (write `3` without quotes)"),
        ("rotate_after: 010", "5:19 services.it.rotate_after: `010` starts with 0: some YAML readers take it for an "
         "octal number (write 10)"),
        ("rotate_after: 1:30", "5:19 services.it.rotate_after: `1:30` has a colon: YAML 1.1 readers take it for a "
         "number of base 60 (write a plain decimal number)"),
        ("on_port_change: kill", "5:21 services.it.on_port_change: `kill` is not one of restart, ignore, {signal: …}"),
        ("on_port_change: {signal: KILL}", "5:30 services.it.on_port_change.signal: `KILL` is a signal that no "
         "program can handle (use one such as SIGHUP or SIGUSR1)"),
        ("on_port_change: {}", "5:21 services.it.on_port_change: needs `signal`"),
        ("logging: {max_size: 1KB}", "5:25 services.it.logging.max_size: `1KB` is too small: at least 4096 bytes"),
        ("logging: {max_size: ten}", f"5:25 services.it.logging.max_size: `ten` is not a size ({SIZE})"),
        ("logging: {max-file: 3}", "5:15 services.it.logging: unknown key `max-file` (write `backups: 3`)"),
        ("environment: {A: [1]}", "5:22 services.it.environment.A: expected a text, found a list"),
        ("environment: {A B: 1}", "5:19 services.it.environment: `A B` is not the name of a variable "
         "(names have letters, digits and `_`, no digit first)"),
        ("environment: [A=1, A=2]", "5:24 services.it.environment: `A` is set already, in line 5 (keep one of them)"),
        ("environment: [{A: 1}]", "5:19 services.it.environment[0]: expected NAME=VALUE, found a mapping "
         "(write `- A=1`)"),
        ("environment: A=1", "5:18 services.it.environment: expected a mapping or a list of NAME=VALUE, found a text "
         "(write `{A: 1}`)"),
        ("environment: {PORTSUP_WEB_URL: x}", "5:19 services.it.environment: `PORTSUP_WEB_URL` is set by portsup "
         "(choose another name)"),
        ("env_file: [{pth: none, required: false}]",
         "5:17 services.it.env_file[0]: unknown key `pth` (did you mean `path`?)"),
        ("depends_on: web", "5:17 services.it.depends_on: expected a list of services, found `web` (write `[web]`)"),
        ("depends_on: [web, web]", "5:23 services.it.depends_on: `web` is named twice (name it once)"),
        ("depends_on: {web: service_healthy}", "5:23 services.it.depends_on.web: `service_healthy` is not one of "
         "started, listening, ready, completed, completed_ok (write `ready`)"),
        ("depends_on: {web: {conditon: ready}}", "5:24 services.it.depends_on.web: unknown key `conditon` "
         "(did you mean `condition`?)"),
        ("ready: notify", "5:12 services.it.ready: `notify` is not one of listening, started, {http: …}, {tcp: true}, "
         "{exec: …}, {log: …}, {notify: true} (write `{notify: true}`)"),
        ("ready: lisening", "5:12 services.it.ready: `lisening` is not one of listening, started, {http: …}, "
         "{tcp: true}, {exec: …}, {log: …}, {notify: true} (did you mean `listening`?)"),
        ("ready: {log: '['}", "5:18 services.it.ready.log: `[` is not a regular expression: unterminated character set "
         "at position 0 (in double quotes a backslash is written twice)"),
        ("ready: {log: a, exec: b}", "5:21 services.it.ready: `log` and `exec` exclude each other (keep one of them)"),
        ("ready: {exec: []}", "5:19 services.it.ready.exec: names no program (write `[program, argument]`)"),
        ("ready: {started: false}", "5:22 services.it.ready.started: `false` has no meaning here, only true has "
         "(leave the key out)"),
        ("ready: {notify: false}", "5:21 services.it.ready.notify: `false` has no meaning here, only true has "
         "(leave the key out)"),
        ("watchdog: 10ms", "5:15 services.it.watchdog: `10ms` is too small: at least 0.1s"),
        ("notify_socket: file", "5:20 services.it.notify_socket: `file` is not one of auto, path, abstract"),
        ("healthcheck: {}", "5:18 services.it.healthcheck: needs `http` or `tcp` or `exec`"),
        ("healthcheck: {exec: a, retries: 0}", "5:37 services.it.healthcheck.retries: `0` is too small: at least 1"),
        ("healthcheck: {exec: a, interval: 1ms}", "5:38 services.it.healthcheck.interval: `1ms` is too small: "
         "at least 0.1s"),
        ("working_dir: services.yaml", "5:18 services.it.working_dir: `services.yaml` is not a directory"),
    ],
)  # fmt: skip
def test_a_value_that_makes_no_sense(mistakes: Mistakes, line: str, problem: str) -> None:
    assert mistakes(it(line)) == [problem]


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("[]", "3:14 services.web.command: names no program (write `[program, argument]`)"),
        ("''", "3:14 services.web.command: names no program (write `[program, argument]`)"),
        ("['', a]", "3:14 services.web.command: names no program (write `[program, argument]`)"),
        ("[a, ~]", "3:18 services.web.command[1]: expected a text, found nothing (give it a value or leave it out)"),
        ("{a: b}", "3:14 services.web.command: expected a list or a text, found a mapping"),
        (
            "[a, {port}]",
            '3:18 services.web.command[1]: expected a text, found a mapping (put it in quotes: `"{port}"`)',
        ),
        (
            "[a, ${PORT}]",
            "3:19 cannot be read as YAML: did not find expected ',' or ']' while parsing a flow sequence "
            "that begins in line 3, column 14 "
            "(inside `[…]` and `{…}` a value with a brace, such as `${VAR}`, needs quotes)",
        ),
        ('"a\\0b"', "3:14 NUL character in a text, no program can be given one (remove it)"),
    ],
)
def test_a_command_that_names_no_program(mistakes: Mistakes, command: str, problem: str) -> None:
    assert mistakes(f"services:\n  web:\n    command: {command}\n") == [problem]


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("health", "write `/health`"),
        ("http://localhost:8000/health?full=1", "the address is that of the service, write `/health?full=1`"),
        ("http://localhost", "the address is that of the service, write `/`"),
        ("'/a b'", ""),
    ],
)
def test_a_probe_path_is_a_path(mistakes: Mistakes, path: str, hint: str) -> None:
    (problem,) = mistakes(f"services:\n  web:\n    command: a\n    pool: 6000\n    ready: {{http: {path}}}\n")
    value = path.strip("'")
    words = f"services.web.ready.http: `{value}` is not a path of an HTTP request: it begins with / and has no spaces"
    assert problem == f"5:19 {words}" + (f" ({hint})" if hint else "")


def test_what_the_hint_needs_is_told_in_the_same_run(mistakes: Mistakes) -> None:
    assert [each.partition(": ")[2] for each in mistakes(it("ready: http://localhost:8000/health"))] == [
        "`http://localhost:8000/health` is not one of listening, started, {http: …}, {tcp: true}, {exec: …}, {log: …}, "
        "{notify: true} (write `ready: {http: /health}`)",
        "`http` needs a port, and the service has no `pool` (give it a `pool`, or use `started`, `exec`, `log` or "
        "`notify`)",
    ]


@pytest.mark.parametrize("key", ["x-note", "replica_count"])
def test_a_key_that_does_nothing_is_not_taken(mistakes: Mistakes, key: str) -> None:
    (problem,) = mistakes(it(f"{key}: 1"))
    assert problem.startswith(f"5:5 services.it: unknown key `{key}`")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("My Stack", "write `my-stack`"), ("_web", "write `web`"), ("Übung", "write `bung`"), ("💥", ""), ("..", "")],
)
def test_a_name_that_is_none_comes_with_a_better_one(mistakes: Mistakes, name: str, hint: str) -> None:
    (problem,) = mistakes(f"name: {name}\nservices: {{web: {{command: a}}}}\n")
    words = "does not fit: lower-case letters, digits, `.`, `_`, `-`, a letter or digit first"
    assert problem == f"1:7 name: `{name}` {words}" + (f" ({hint})" if hint else "")


def test_a_service_may_not_be_called_like_portsup_s_own_log(mistakes: Mistakes) -> None:
    assert mistakes("services: {portsup: {command: a}}") == [
        "1:12 services: the name `portsup` is taken by portsup's own log (choose another name)"
    ]


def test_a_long_value_is_not_shown_in_full(mistakes: Mistakes) -> None:
    (problem,) = mistakes(it("restart: " + "x" * 500))
    assert f"`{'x' * 60}…`" in problem
    (problem,) = mistakes(it("restart: " + "x" * 5000))
    assert "a text of 5000 characters is not one of" in problem


def test_control_characters_in_a_value_do_not_reach_the_terminal(mistakes: Mistakes) -> None:
    (problem,) = mistakes(it('restart: "\\e[31mred\\nline"'))
    assert "`\\x1b[31mred\\nline`" in problem


def test_a_thousand_mistakes_are_cut_short(mistakes: Mistakes) -> None:
    problems = mistakes("services:\n" + "".join(f"  s{n}: {{comand: a}}\n" for n in range(900)))
    assert len(problems) == 101
    assert problems[-1] == "0:0 there are more mistakes, portsup stopped reading here"


def test_a_mistake_in_an_anchor_is_told_once_for_each_service_at_its_own_place(mistakes: Mistakes) -> None:
    text = "x-base: &base {restart: evr}\nservices:\n  a: {<<: *base, command: a}\n  b: {<<: *base, command: b}\n"
    why = "`evr` is not one of never, on-failure, always (did you mean `never`?)"
    assert mistakes(text) == [f"1:25 services.a.restart: {why}", f"1:25 services.b.restart: {why}"]
