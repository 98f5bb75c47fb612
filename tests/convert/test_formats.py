"""Each format, from a short file with what real ones have in it."""

from collections.abc import Callable

import pytest

from supervisor.config.spec import Condition, OnEnd, Others, ProbeKind, Restart, StopTo
from supervisor.convert import compose, pm2
from supervisor.convert.recognise import convert, kind_of
from supervisor.core.browsers import BLOCKED_BY_BROWSERS
from supervisor.core.limits import UNLIMITED
from supervisor.errors import PortsupError, UsageError
from tests.convert.conftest import EPHEMERAL, FILES, Converted

Convert = Callable[..., Converted]
KINDS = ("procfile", "supervisord", "compose", "process-compose", "pm2")


@pytest.mark.parametrize("kind", KINDS)
def test_pools_do_not_meet_and_every_port_can_be_had(kind: str, converted: Convert) -> None:
    pools = [port for service in converted(kind).stack.services.values() for port in service.pool]
    assert len(pools) == len(set(pools)) >= 6
    assert not [port for port in pools if port in BLOCKED_BY_BROWSERS or port in EPHEMERAL or port < 1024]


@pytest.mark.parametrize("kind", KINDS)
def test_the_result_gives_no_warning_beyond_folders_and_variables_of_another_machine(
    kind: str, converted: Convert
) -> None:
    strange = [each for each in converted(kind).stack.warnings if "working_dir" not in each and "TOKEN" not in each]
    assert strange == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_left_is_said_beside_its_service(kind: str, converted: Convert) -> None:
    result = converted(kind)
    said = " ".join(line.strip(" #") for line in result.text.splitlines() if line.strip().startswith("#"))
    whole = " ".join(said.split())
    assert result.outcome.left
    for each in [*result.outcome.left, *(left for service in result.outcome.services for left in service.left)]:
        assert " ".join(str(each).split()) in whole


# Procfile


def test_the_port_of_a_procfile_is_that_of_the_pool(converted: Convert) -> None:
    services = converted("procfile").stack.services
    assert services["single"].command == ("gunicorn", "shop.wsgi", "-p", "{port}")
    assert services["single"].port_env == "PORT"
    assert services["web"].command == ("sh", "-c", "bin/server --bind 0.0.0.0:$PORT --workers ${WORKERS:-2}")
    assert services["admin"].command[-1] == "0.0.0.0:{port}"
    assert services["admin"].pool == (8100, 8101, 8102)


def test_what_is_set_before_a_command_becomes_its_environment(converted: Convert) -> None:
    api = converted("procfile").stack.services["api"]
    assert api.command[:2] == ("bundle", "exec")
    assert (dict(api.environment), api.pool[0]) == ({"RAILS_ENV": "development"}, 4000)


def test_a_worker_is_ready_once_it_is_started_and_a_release_job_has_no_pool(converted: Convert) -> None:
    result = converted("procfile")
    services = result.stack.services
    assert services["worker"].command == ("celery", "-A", "shop", "worker", "-Q", "high,low")
    assert services["worker"].ready.probe.kind is ProbeKind.STARTED
    assert services["web"].ready.probe.kind is ProbeKind.LISTENING
    assert (services["release"].pool, services["release"].one_shot) == ((), True)
    assert services["release"].command[:2] == ("sh", "-c")
    assert "line 9" in result.left_of_file


# supervisord


def test_a_program_keeps_its_times_signals_and_logs(converted: Convert) -> None:
    result = converted("supervisord", HOME="/root")
    api = result.stack.services["api"]
    assert api.command[-2:] == ("--port", "{port}")
    assert api.pool[0] == 8300
    assert dict(api.environment) == {"LEVEL": "info", "NAME": "two, words", "HOME": "/root", "RATE": "100%"}
    assert (api.restart_policy.restart, api.restart_policy.max_restarts) == (Restart.ALWAYS, 4)
    assert (api.stop_signal, api.stop_to, api.stop_grace_period) == (3, StopTo.MAIN, 25.0)
    assert (api.logging.max_size, api.logging.backups) == (20 * 1024 * 1024, 7)
    assert api.restart_policy.period == 1.0, "`startsecs`"
    assert "/var/log/api.log" in result.left["api"]


def test_user_umask_and_autostart_are_carried_over(converted: Convert) -> None:
    services = converted("supervisord").stack.services
    assert (services["api"].user, services["api"].umask) == ("www-data", 0o077)
    assert (services["api"].autostart, services["screen"].autostart) == (True, False)


def test_a_program_without_a_shell_stays_without_one(converted: Convert) -> None:
    screen = converted("supervisord", WIDTH="800").stack.services["screen"]
    assert screen.command == ("Xvfb", ":0", "-screen", "0", "800x24", "|", "tee")


def test_copies_of_a_program_become_services_each(converted: Convert) -> None:
    services = converted("supervisord").stack.services
    assert [services[f"worker-{number}"].command[2] for number in range(2)] == ["00", "01"]


def test_sections_without_a_counterpart_are_listed(converted: Convert) -> None:
    left = converted("supervisord").left_of_file
    for section in ("[eventlistener:memmon]", "[group:all]", "[include]"):
        assert section in left
    assert "supervisorctl" not in left  # portsup has its own


# compose


def test_a_service_of_compose_keeps_what_does_not_need_its_container(converted: Convert) -> None:
    result = converted("compose", DB_PASSWORD="sesame-sesame")
    api = result.stack.services["api"]
    assert api.command == ("uvicorn", "main:app", "--host", "0.0.0.0", "--port", "{port}")
    assert api.pool[0] == 8080
    assert str(api.working_dir).endswith("/api/src")
    assert api.environment["DATABASE_URL"] == "postgres://shop:sesame-sesame@127.0.0.1:5432/shop"
    assert (api.environment["DEBUG"], api.environment["VERSION"], api.environment["COST"]) == ("true", "1.10", "$5")
    assert api.depends_on == {"migrate": Condition.COMPLETED_OK}
    assert (api.ready.probe.kind, api.ready.probe.target, api.ready.timeout) == (ProbeKind.HTTP, "/health", 400.0)
    assert api.healthcheck is not None
    assert (api.healthcheck.interval, api.healthcheck.timeout, api.healthcheck.retries) == (90.0, 5.0, 4)
    assert (api.stop_signal, api.stop_to, api.stop_grace_period, api.logging.backups) == (2, StopTo.MAIN, 60.0, 2)
    assert api.profiles == ("full",)
    for word in ("5858", "`db` in the variable `DATABASE_URL`", "volumes", "labels", "depends_on: db"):
        assert word in result.left["api"]
    assert (api.memory_limit, dict(api.limits)) == (512 * 1024**2, {"nofile": 4096, "core": 0, "memlock": UNLIMITED})
    for word in ("`ulimits`: rttime", "`deploy`: resources.limits.cpus:"):
        assert word in result.left["api"]
    assert api.replicas == 2
    assert "`${DB_PASSWORD:?…}` has to be set for compose" in result.text


def test_entrypoint_and_command_are_one_command(converted: Convert) -> None:
    web = converted("compose").stack.services["web"]
    assert web.command == ("npm", "start")
    assert (web.pool[0], web.port_env) == (3000, "PORT")
    assert web.depends_on == {"api": Condition.STARTED}
    assert web.restarts_with == {"api"}
    assert (web.restart_policy.restart, web.restart_policy.max_restarts) == (Restart.ON_FAILURE, 5)
    assert converted("compose").stack.services["api"].restart_policy.is_endless, "`unless-stopped`"


def test_services_that_are_an_image_only_are_listed(converted: Convert) -> None:
    result = converted("compose")
    assert result.stack.services.keys() == {"api", "migrate", "hooked", "web"}
    assert "service `db`: it is only an image (`postgres:16`)" in result.left_of_file
    assert "service `mail`: `./mail/Dockerfile` cannot be read" in result.left_of_file
    assert "# db:\n" in result.text
    assert "service `tuned`: its command begins with an option" in result.left_of_file


def test_a_compose_file_of_images_only_is_refused_with_the_reasons() -> None:
    with pytest.raises(PortsupError, match="only an image"):
        convert("compose", "compose.yaml", "services: {db: {image: postgres}}")


# process-compose


def test_a_process_keeps_its_probes_and_conditions(converted: Convert) -> None:
    result = converted("process-compose", PLACE="/here", LIVE_TOKEN="tok-en-12")
    services = result.stack.services
    assert services["postgres"].command == ("./scripts/start-db.sh",)
    assert services["postgres"].ready.probe.command == ("sh", "-c", "psql --command 'show timezone;' | grep UTC")
    assert (services["postgres"].stop_signal, services["postgres"].stop_grace_period) == (2, 8.0)
    assert services["migrate"].command == ("bash", "-c", "./migrate.sh && echo done > state")
    assert services["migrate"].depends_on == {"postgres": Condition.READY}
    first, second = services["backend-0"], services["backend-1"]
    assert (first.pool[0], second.pool[0]) == (8001, 8011)
    assert (first.ready.probe.target, first.command[-1]) == ("/ready", "{port}")
    assert first.healthcheck is not None
    assert (first.healthcheck.probe.target, first.healthcheck.interval) == ("/live", 7.0)
    ask = first.healthcheck.probe.ask
    assert ask is not None
    assert (ask.headers, ask.status) == (
        (("X-Probe", "a, b"), ("Authorization", "Bearer tok-en-12")),
        (range(204, 205),),
    )
    assert "tok-en-12" in result.stack.secrets
    assert first.depends_on == {"migrate": Condition.COMPLETED_OK}
    assert services["watcher"].environment["WHERE"] == "/here/x"
    assert "depends_on: missing" in result.left["backend-0"]
    assert (services["off"].autostart, services["migrate"].one_shot) == (False, True)
    assert services["migrate"].on_end == OnEnd(Others.STOP_ALL, Others.STOP_ALL)
    assert services["watcher"].on_end == OnEnd(failure=Others.STOP_ALL)
    assert services["on"].autostart, "`is_disabled` wins over `disabled`"


def test_a_probe_of_another_port_asks_that_port(converted: Convert) -> None:
    queue = converted("process-compose").stack.services["queue"]
    assert queue.pool[0] == 4222
    assert queue.ready.probe.command[-1] == "http://127.0.0.1:8222/healthz"


# pm2


def test_an_app_of_pm2_keeps_its_interpreter_times_and_environment(converted: Convert) -> None:
    result = converted("pm2")
    api = result.stack.services["api"]
    assert api.command == ("node", "--enable-source-maps", "src/index.js", "--name", "two words")
    assert (api.pool[0], api.environment["COST"]) == (4100, "${5}")
    assert (api.restart_policy.delay, api.restart_policy.factor, api.restart_policy.max_restarts) == (3.0, 1.0, 8)
    assert (api.stop_signal, api.stop_grace_period) == (2, 5.0)
    assert result.stack.services["bot"].command == ("python3.12", "bot.py")
    assert result.stack.services["bot"].restart_policy.restart is Restart.NEVER
    assert result.stack.services["shell"].command == ("bash", "./start.sh")
    assert result.stack.services["front-end"].pool[0] == 4200
    assert (api.memory_limit, api.user) == (300 * 1024 * 1024, "node")
    for word in ("instances: max", "watch", "out_file", "env_staging"):
        assert word in result.left["api"]
    assert "app `nothing`" in result.left_of_file


def test_empty_arguments_of_an_interpreter_are_none() -> None:
    (draft,) = pm2.convert('{"apps": [{"script": "a.js", "node_args": ""}]}').services
    assert draft.fields["command"] == ["node", "a.js"]


def test_ports_of_compose_that_are_none_are_left_alone() -> None:
    given: dict[str, object] = {"command": "serve", "ports": ["", ":", {}, None]}
    (draft,) = compose.convert({"services": {"web": given}}).services
    assert draft.ports == []


# Which kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Procfile.dev", "procfile"),
        ("deploy/Procfile", "procfile"),
        ("supervisord.conf", "supervisord"),
        ("apps.ini", "supervisord"),
        ("docker-compose.override.yml", "compose"),
        ("compose.yaml", "compose"),
        ("process-compose.dev.yaml", "process-compose"),
        ("ecosystem.config.json", "pm2"),
    ],
)
def test_a_file_is_recognised_by_its_name(name: str, kind: str) -> None:
    assert kind_of(name, "") == kind


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "procfile"])
def test_a_file_is_recognised_by_its_content(kind: str) -> None:
    text = next(file.read_text() for file in FILES.iterdir() if kind_of(file.name, "") == kind)
    assert kind_of("some-file", text) == kind
    assert kind_of("some-file", "# processes\nweb: bin/web\n\nworker: bin/work\n") == "procfile"
    assert kind_of("stack.ini", "; all of it\n[circus]\ninclude = watchers/*.ini\n") == "circus"


@pytest.mark.parametrize("text", ["web: run a:b c:d # note # more\n" * 3000 + "and that is all\n", "[\n" * 49_000])
def test_a_long_file_of_no_kind_is_looked_at_once(text: str) -> None:
    with pytest.raises(UsageError):  # the time limit of the tests is the other half of this one
        kind_of("some-file", text)


def test_what_nobody_knows_is_asked_for() -> None:
    with pytest.raises(UsageError) as error:
        kind_of("notes.txt", "Dear diary,\nit rained.\n")
    assert "--kind" in error.value.hint


def test_a_file_in_javascript_is_not_run() -> None:
    with pytest.raises(UsageError) as error:
        kind_of("ecosystem.config.js", "module.exports = {apps: [{script: 'a.js', instances: os.cpus().length}]}")
    assert "`portsup init --from ecosystem.config.js --evaluate`" in error.value.hint
    with pytest.raises(PortsupError) as wrong:
        pm2.convert("module.exports = {apps: [{script: process.env.SCRIPT}]}")
    assert "--evaluate" in wrong.value.hint


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("compose", "services: [a, b"),
        ("compose", "- a"),
        ("compose", "services: {a: [b]}"),
        ("process-compose", "processes: 7"),
        ("process-compose", "&a [*a]"),
        ("supervisord", "command=x"),
        ("supervisord", "[program:a]\n"),
        ("pm2", "[]"),
        ("pm2", "null"),
        ("pm2", '{"apps": [7]}'),
        ("procfile", "\n# nothing\n"),
    ],
)
def test_a_file_without_a_service_is_an_error_with_words(kind: str, text: str) -> None:
    with pytest.raises(PortsupError) as error:
        convert(kind, "file", text)
    assert error.value.why
