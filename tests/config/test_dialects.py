"""Keys and values of other supervisors: what to write is said as it can be copied."""

import pytest

from supervisor.errors import ConfigError

from .conftest import Loading, Mistakes
from .test_mistakes import it

IN_SERVICE = [
    ('pool: ["8000:80"]', "write `8000-8002`: there is no container, the program itself listens on `{port}`"),
    ("pool: $PORT", "write the ports that it may have, such as `8000-8002`"),
    ('ports: ["127.0.0.1:8000:80/tcp"]', "write `pool: 8000-8002`; the program gets its port in `PORT`, or as `{port}` "
     "in `command`"),
    ("ports: [{containerPort: 3000}]", "write `pool: 3000-3002`; the program gets its port in `PORT`, or as `{port}` "
     "in `command`"),
    ("wait_for: {tcp: 6379}", "write `depends_on: {NAME: ready}` to wait for another service; `ready` says when this "
     "one is"),
    ("memory: 512M", "write `memory_limit: 512MB`"),
    ("log: a.log", "leave it out: portsup keeps the output, see `portsup logs`; `logging` says how much of it"),
    ("restart: {condition: on-failure, max_attempts: 3, delay: 2s}", "write `restart: on-failure` and "
     "`restart_policy: {max_restarts: 3, delay: 2s}`"),
    ("stop: {signal: QUIT, timeout: 9}", "write `stop_signal: SIGQUIT` and `stop_grace_period: 9s`"),
    ("user: $USER", "leave it out: a service runs as the one who runs portsup"),
    ("depends_on: db:healthy", "write `{db: ready}`"),
    ("replicas: max", "write a number, such as 2"),
    ("build: {context: ./x}", "leave it out: portsup builds no images; write `working_dir: ./x`"),
    ("max_restarts: 3", "write `restart_policy: {max_restarts: 3}`"),
    ("nofile: 1024", "write `limits: {nofile: 1024}`"),
    ("pre_start: a", "write `hooks: {pre_start: a}`"),
    ("restart: 3", "write `restart: on-failure` and `restart_policy: {max_restarts: 3}`"),
    ('restart: "no"', "write `restart: never`"),
    ("restart_policy: always", "write `restart: always`"),
    ("user: 1000:1000", "write `user: 1000` and `group: 1000`"),
    ("healthcheck: curl -f x || exit 1", 'write `healthcheck: {exec: [sh, -c, "curl -f x || exit 1"]}`'),
    ("healthcheck: [CMD, curl, x]", "write `healthcheck: {exec: [curl, x]}`"),
    ("healthcheck: none", "leave `healthcheck` out"),
    ("test: curl x", "write `healthcheck: {exec: curl x}`"),
    ("image: nginx:latest", "leave it out: portsup runs no images; `command` names a program that is installed here"),
    ("stdin_open: true", "write `stdin: open`"),
    ("availability: {restart: exit_on_failure}", "write `restart: on-failure` and `on_end: {failure: stop_all}`"),
    ('liveness_probe: {exec: {command: "a | b"}}', 'write `healthcheck: {exec: [sh, -c, "a | b"]}`'),
    ("shutdown: {signal: 2, timeout_seconds: 5}", "write `stop_signal: SIGINT` and `stop_grace_period: 5s`"),
    ("restart_delay: 4000", "write `restart_policy: {delay: 4s}`"),
    ("stopwaitsecs: 20", "write `stop_grace_period: 20s`"),
    ("TimeoutStopSec: 1min 30s", "write `stop_grace_period: 90s`"),
    ("ExecStop: /bin/kill -INT $MAINPID", "write `stop_signal: SIGINT`"),
    ("KillMode: mixed", "write `stop_signal: {signal: SIGTERM, to: main}`"),
    ("EnvironmentFile: -/etc/x", "write `env_file: {path: /etc/x, required: false}`"),
    ("Environment: A=1", "write `environment: {A: 1}`"),
    ("environment: 'A=\"1\",API_KEY=\"abc\"'", 'write `{A: 1, API_KEY: "***"}`'),
    ("environment: [A: 1]", "write `- A=1`"),
    ("environment: ['API_KEY = abc']", "write `- API_KEY=***`"),
    ("depends_on: [{web: {condition: service_started}}]", "write `depends_on: {web: started}`"),
    ("depends_on: {web: {condition: service_healthy}}", "write `ready`"),
    ("memory_limit: 512Mi", "write `512MB`"),
    ("limits: {memory: 512M}", "write `memory_limit: 512MB` one level up, in the service"),
    ("stop_grace_period: 30 seconds", "write `30s`"),
    ("autostart: 'true'", "write `true` without quotes"),
    ("one_shot: 1", "write `true`"),
    ("umask: 22", 'write `"022"`'),
    ("working_dir: ~", 'put it in quotes: `"~"`'),
    ("hooks: {before_start: a && b}", 'write `pre_start: [sh, -c, "a && b"]`'),
    ("logging: {options: {max-size: 10m, max-file: '3'}}", "write `max_size: 10MB` and `backups: 3`"),
    ("expose: [5432]", "write `pool: 5432-5434` instead of `expose:`"),
    ("expose: 8000-8002", "write `pool: 8000-8002` instead of `expose:`"),
    ("restart_policy: {condition: any}", "write `restart: always` one level up, in the service"),
    ("restart_policy: {condition: on-failure}", "write `restart: on-failure` one level up, in the service"),
    ("healthcheck: {restart: always, exec: a}", "it is for the service itself: write `restart: always` one level up"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "hint"), IN_SERVICE)
def test_what_to_write_in_a_service(mistakes: Mistakes, line: str, hint: str) -> None:
    (told,) = mistakes(f"services:\n  web: {{command: w}}\n  it:\n    command: a\n    {line}\n")
    assert told.endswith(f" ({hint})")
    assert told.startswith("5:")


@pytest.mark.parametrize(
    ("lines", "hint"),
    [
        ("script: app.py", "write `command: python3 app.py`"),
        ("script: server.js", "write `command: node server.js`"),
        ("script: a\n    args: [-x, z]", "write `command: [a, -x, z]`"),
        ("interpreter: python3\n    script: a.py\n    args: -x", "write `command: [python3, a.py, -x]`"),
        ("entrypoint: [/e.sh]\n    command: [run]", "write `command: [/e.sh, run]`"),
        ("shell: a | b", 'write `command: [sh, -c, "a | b"]`'),
        ("ExecStart: -/bin/a -b", "write `command: /bin/a -b`"),
        ("image: redis:7", 'install it, and write `command: [redis-server, --port, "{port}"]`'),
        ("cmd: [a, --token, abc]", 'write `command: [a, --token, "***"]`'),
    ],
)
def test_what_to_write_for_the_program(mistakes: Mistakes, lines: str, hint: str) -> None:
    assert hint in mistakes(f"services:\n  it:\n    {lines}\n")[0]


@pytest.mark.parametrize(
    ("theirs", "hint"),
    [
        ("ports: 7000", "write `pool: 7000-7002`; the program gets its port in `PORT`, or as `{port}` in `command`"),
        ("env: {A: 1}", "write `environment:` instead of `env:`"),
        ("cwd: .", "write `working_dir: .`"),
        ("health_check: {exec: a}", "write `healthcheck:` instead of `health_check:`"),
        ("stop-signal: INT", "write `stop_signal: INT`"),
        ("Restart: no", "write `restart: never`"),
        ("autorestart: true", "write `restart: always`"),
        ("readiness_probe: {exec: {command: a b}}", "write `ready: {exec: a b}`"),
        ("dependson: [web]", "write `depends_on: [web]`"),
        ("rotate_afer: 1", "did you mean `rotate_after`?"),
    ],
)
def test_a_key_of_a_peer_or_a_slip_of_the_finger_leads_to_ours(mistakes: Mistakes, theirs: str, hint: str) -> None:
    assert mistakes(it(theirs)) == [f"5:5 services.it: unknown key `{theirs.partition(':')[0]}` ({hint})"]


def test_keys_that_go_into_one_mapping_are_put_together(mistakes: Mistakes) -> None:
    text = "services:\n  it:\n    command: a\n    startsecs: 5\n    startretries: 2\n    cwd: .\n"
    assert [each.partition(" (")[2] for each in mistakes(text)] == [
        "write `restart_policy: {period: 5s, max_restarts: 2}`)",
        "it belongs into the same `restart_policy`, see line 4)",
        "write `working_dir: .`)",
    ]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("version: '3'\nservices: {a: {command: a}}", "leave it out: services.yaml has no versions"),
        ("procs: {a: {command: a}}", "write `services:` instead of `procs:`"),
        ("command: a\nservices: {a: {command: a}}", "it is for a service: `services: {NAME: {command: a}}`"),
        ("web: npm start", "write `services: {web: {command: npm start}}`"),
        ("services: [{name: A b, command: a}]", "write `NAME: {command: …}` for each, without `-`"),
        ("services: {web: a && b}", 'write `web: {command: [sh, -c, "a && b"]}`'),
        ("services: {web: [a, b]}", "write `web: {command: [a, b]}`"),
    ],
)
def test_what_to_write_at_the_top(mistakes: Mistakes, text: str, hint: str) -> None:
    assert [each for each in mistakes(text) if each.endswith(f" ({hint})")]


def test_services_that_stand_at_the_top_are_read_as_such(mistakes: Mistakes) -> None:
    below = "write it below `services:`, with two more spaces before each of its lines"
    assert mistakes("web:\n  command: a\n  ports: 80\ndb: {command: b && c}\n") == [
        f"1:1 the file: unknown key `web` ({below})",
        "3:3 services.web: unknown key `ports` (write `pool: 80-82`; the program gets its port in `PORT`, or as "
        "`{port}` in `command`)",
        f"4:1 the file: unknown key `db` ({below})",
        "4:17 services.db.command: `&&` needs a shell, and portsup runs commands without one "
        '(write `command: [sh, -c, "b && c"]`)',
    ]


def test_the_value_under_another_name_is_read_as_ours(mistakes: Mistakes) -> None:
    told = mistakes("services:\n  it:\n    cmd: a && b\n    healthCheck: {exec: c, intervall: 3}\n    depends: [no]\n")
    assert [each.partition(" ")[0] for each in told] == ["3:5", "4:5", "4:28", "5:5", "5:15"]


def test_a_tab_does_not_hide_the_other_mistakes(mistakes: Mistakes) -> None:
    told = mistakes("services:\n  a:\n\tcommand: x\n  b:\n    command: y\n    restart: 2\n")
    assert [each.partition(" ")[0] for each in told] == ["3:1", "6:14"]
    told = mistakes("services:\n\tb:\n\t\tcommand: y\n\t\trestart: 2\n")
    assert [each.partition(" ")[0] for each in told] == ["2:1", "4:12"]


VALUES = ["", "~", "[]", "{}", "[[]]", "[{}]", "{a: {}}", "'\\0'", "x" * 3000, "${X:-y}", "-1"]


@pytest.mark.parametrize(
    "key",
    ["ports", "image", "build", "deploy", "availability", "readiness_probe", "liveness_probe", "shutdown", "script",
     "args", "test", "stop", "environment", "Environment", "restart", "ExecStart", "startsecs", "restart_delay",
     "exitcodes", "After", "user", "pool", "ready", "healthcheck", "depends_on", "limits", "logging", "watch"],
)  # fmt: skip
def test_no_value_is_trouble(loading: Loading, key: str) -> None:
    """The hint may be of little use, and it is one line."""
    for value in VALUES:
        try:
            loading(f"services:\n  it:\n    command: a\n    {key}: {value}\n")
        except ConfigError as error:
            told = [f"{problem.message} {problem.hint}" for problem in error.problems]
        else:
            told = ["fine"]
        assert told, value
        assert all(len(each) < 1200 and "\n" not in each for each in told), value


@pytest.mark.parametrize(
    ("lines", "hint"),
    [
        ("restart: 3\n    max_restarts: 5", "write `restart: on-failure`"),
        ("restart: on-failure:3\n    startretries: 5", "write `restart: on-failure`"),
        ("restart: 3\n    restart_policy: {max_restarts: 5}", "write `restart: on-failure`"),
        ("restart: 3\n    restart_policy: {delay: 1s}",
         "write `restart: on-failure` and `restart_policy: {max_restarts: 3}`"),
    ],
)  # fmt: skip
def test_a_number_of_restarts_is_told_once(mistakes: Mistakes, lines: str, hint: str) -> None:
    first, *others = mistakes(f"services:\n  a:\n    command: a\n    {lines}")
    assert first.endswith(f" ({hint})")
    assert all("restart_policy: {max_restarts: 5}" in other for other in others)


def test_a_manifest_of_kubernetes_is_named_as_that(loading: Loading) -> None:
    with pytest.raises(ConfigError) as caught:
        loading("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n")
    assert "manifest of Kubernetes" in str(caught.value.hint)
    assert "apps/v1}" not in str(caught.value)


@pytest.mark.parametrize(
    ("schedule", "hint"),
    [
        ("daily", 'write `schedule: "0 0 * * *"`'),
        ("Hourly", 'write `schedule: "0 * * * *"`'),
        ("every 5 minutes", 'write `schedule: "*/5 * * * *"`'),
        ("{cron: 2h}", 'write `cron: "0 */2 * * *"`'),
    ],
)
def test_a_schedule_in_words_is_written_as_five_fields(mistakes: Mistakes, schedule: str, hint: str) -> None:
    (told,) = mistakes(f"services: {{it: {{command: a, one_shot: true, schedule: {schedule}}}}}")
    assert told.endswith(f" ({hint})")


@pytest.mark.parametrize("schedule", ["7m", "0 minutes", "25h", "soon"])
def test_a_schedule_that_five_fields_do_not_say_gets_no_hint(mistakes: Mistakes, schedule: str) -> None:
    (told,) = mistakes(f"services: {{it: {{command: a, one_shot: true, schedule: {schedule}}}}}")
    assert "write `" not in told


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"mcpServers": {"a": {"command": "b"}}}', ".mcp.json"),
        ('{"apps": [{"script": "a"}]}', "ecosystem.json"),
        ("apps: [{script: a}]", "ecosystem.config.yml"),
    ],
)
def test_a_whole_file_of_another_program_can_be_converted(loading: Loading, text: str, name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loading(text)
    assert f"`mv services.yaml {name} && portsup init --from {name}`" in str(caught.value.hint)
