"""Services of compose whose image makes a user first: RabbitMQ and MongoDB; and ports that servers are told there."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.convert.around import Around, FileKind
from supervisor.core.state import Hook
from supervisor.errors import PortsupError
from tests.convert.conftest import Converted

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the scripts are for a shell of Unix")
RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"


def _converted(folder: Path, text: str, programs: tuple[str, ...], **files: str) -> Converted:
    known = {path.replace("__", "/").replace("_dot_", "."): content for path, content in files.items()}

    def read(path: str) -> str:
        if path not in known:
            raise PortsupError(f"cannot read `{path}`", "it is not there")
        return known[path]

    def kind(path: str) -> FileKind:
        if path in known or path in programs:
            return FileKind.TEXT
        return FileKind.FOLDER if any(each.startswith(f"{path}/") for each in known) else FileKind.NOTHING

    around = Around(read, kind, has_program=lambda name: name in programs)
    return Converted("compose", text, folder, None, around)


def _run(script: str, folder: Path, **environment: str) -> None:
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "PORTSUP_INSTANCE": "1", "TMPDIR": str(folder), **environment}
    subprocess.run(["sh", "-c", script], cwd=folder, env=own, check=True, timeout=30)


def _program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}")
    (folder / name).chmod(0o755)


@pytest.mark.live
def test_rabbitmq_is_a_node_with_the_user_that_its_variables_name(tmp_path: Path) -> None:
    text = """
services:
  queue:
    image: rabbitmq:3-management-alpine
    environment: {RABBITMQ_DEFAULT_USER: app, RABBITMQ_DEFAULT_PASS: hush}
    ports: ["5680:5672", "15672:15672"]
    healthcheck: {test: [CMD, rabbitmq-diagnostics, ping]}
  jobs: {image: x, command: ./jobs, environment: {BROKER: "amqp://app:hush@queue:5672//"}}
"""
    result = _converted(tmp_path, text, (RABBITMQ,))
    queue = result.stack.services["queue"]
    assert queue.pool[0] == 5680
    assert queue.command[-1].endswith(f"exec {RABBITMQ}\n")
    assert "healthcheck" not in result.services["queue"]
    assert "`rabbitmq` of its health check asks the node of the machine" in result.text
    assert result.services["jobs"]["environment"]["BROKER"] == "amqp://app:hush@127.0.0.1:{port:queue}//"
    _run(queue.hooks[Hook.PRE_START].command[-1], tmp_path, **queue.environment)
    written = (tmp_path / ".portsup/queue-1/rabbitmq.conf").read_text().splitlines()
    assert written == [
        "loopback_users.guest = false",
        "default_user = app",
        "default_pass = hush",
        "management.tcp.ip = 127.0.0.1",
        "management.tcp.port = 15672",
    ]
    assert (tmp_path / ".portsup/queue-1/plugins").read_text() == "[rabbitmq_management].\n"


@pytest.mark.parametrize(
    ("service", "programs", "said"),
    [
        ("{image: rabbitmq}", (), "this machine has no `rabbitmq-server`; install `rabbitmq-server`"),
        ("{image: mongo}", (), "this machine has no `mongod`; install `mongod`"),
        ("{image: mongo, environment: {MONGO_INITDB_ROOT_USERNAME: a}}", ("mongod",), "this machine has no `mongosh`"),
        ("{image: mongo, command: mongod --quiet, environment: {MONGO_INITDB_ROOT_USERNAME_FILE: a}}", ("mongod",),
         "this machine has no `mongosh`"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(service: str, programs: tuple[str, ...], said: str, tmp_path: Path) -> None:
    result = _converted(tmp_path, f"services: {{x: {service}, y: {{image: z, command: ./y}}}}", programs)
    assert set(result.services) == {"y"}
    assert said in result.left_of_file


def test_a_rabbitmq_with_a_configuration_of_its_own_stays_a_block(tmp_path: Path) -> None:
    text = "services: {x: {image: rabbitmq, volumes: ['./r.conf:/etc/rabbitmq/rabbitmq.conf']}, y: {command: ./y}}"
    assert set(_converted(tmp_path, text, (RABBITMQ,), r_dot_conf="listeners.tcp.default = 1").services) == {"y"}


@pytest.mark.live
def test_mongodb_has_its_user_before_it_listens(tmp_path: Path) -> None:
    # What the two programs are told, and by whom: neither is in the distributions that the tests run on.
    _program(tmp_path, "mongod", """echo "mongod $*" >>log
sleep 60 & child=$!
trap 'echo stopped >>log; kill $child; exit' TERM
touch up
wait $child
""")
    _program(tmp_path, "mongosh", """[ -e up ] || exit 1
echo "mongosh $MONGO_INITDB_ROOT_PASSWORD $*" | tr "\\n" " " >>log; echo >>log
""")
    (tmp_path / "init.js").write_text("db.x.insertOne({})")
    (tmp_path / "secret").write_text("from a file\n")
    text = """
services:
  x:
    image: mongo:6
    command: ["--replSet", "rs0"]
    volumes: ["./init.js:/docker-entrypoint-initdb.d/init.js:ro"]
    environment:
      MONGO_INITDB_ROOT_USERNAME: root
      MONGO_INITDB_ROOT_PASSWORD_FILE: ./secret
      MONGO_INITDB_DATABASE: app
"""
    result = _converted(tmp_path, text, ("mongod", "mongosh"), init_dot_js="db.x.insertOne({})")
    spec = result.stack.services["x"]
    assert list(spec.command)[-3:] == ["--replSet", "rs0", "--auth"]
    script = spec.hooks[Hook.PRE_START].command[-1]
    _run(script, tmp_path, **spec.environment)
    server, ping, user, init, stopped = (tmp_path / "log").read_text().splitlines()
    assert "--dbpath .portsup/x-1.new --bind_ip" in server
    assert ".sock" in server, "nobody else can reach it"
    assert "db.runCommand({ping: 1})" in ping
    assert user.startswith("mongosh from a file --quiet mongodb://%2F")
    assert "roles: [\"root\"]" in user
    assert init.rstrip().endswith("/app ./init.js")
    assert stopped == "stopped"
    assert (tmp_path / ".portsup/x-1").is_dir()
    _run(script, tmp_path, **spec.environment)
    assert len((tmp_path / "log").read_text().splitlines()) == 5, "its data is made once"


@pytest.mark.parametrize(
    ("server", "url", "first"),
    [
        ("{image: redis, command: redis-server --port 6390}", "redis://x:6390", 6390),
        ("{image: redis, command: redis-server /r.conf, volumes: ['./r.conf:/r.conf']}", "redis://x:6391", 6391),
        ("{image: memcached, command: memcached -m 64 -p 11311}", "x:11311", 11311),
        ("{image: postgres, environment: {PGPORT: 5433, POSTGRES_PASSWORD: p}}", "postgres://a@x:5433/b", 5433),
        ("{image: mysql, command: --port=3307}", "mysql://a@x:3307/b", 3307),
        ("{image: minio/minio, command: server /data --address :9100}", "http://x:9100", 9100),
        ("{image: redis, command: redis-server --port 6390, ports: ['6400:6390']}", "redis://x:6390", 6400),
    ],
)  # fmt: skip
def test_a_server_that_is_told_another_port_is_found_there(server: str, url: str, first: int, tmp_path: Path) -> None:
    text = f"services: {{x: {server}, y: {{image: z, command: ./y, environment: {{URL: '{url}'}}}}}}"
    programs = ("redis-server", "memcached", "postgres", "mariadbd", "minio")
    result = _converted(tmp_path, text, programs, r_dot_conf="bind *\nport 6391\n")
    assert result.stack.services["x"].pool[0] == first
    assert "127.0.0.1:{port:x}" in result.services["y"]["environment"]["URL"]


def test_the_note_of_an_image_names_the_program(tmp_path: Path) -> None:
    text = "services: {x: {image: mysql/mysql-server, environment: {MYSQL_ROOT_PASSWORD: p}}}"
    result = _converted(tmp_path, text, ("mariadbd",))
    assert "`mariadbd` is there" in result.left["x"]
    assert "entrypoint" not in result.left["x"]


def test_a_group_of_servers_of_nginx_is_no_neighbor(tmp_path: Path) -> None:
    text = """
services:
  lb: {image: nginx, volumes: ["./n.conf:/etc/nginx/conf.d/default.conf"]}
  app: {image: z, command: ./app --port 5000}
"""
    conf = "upstream app { server app:5000; }\nserver { listen 80; location / { proxy_pass http://app; } }"
    result = _converted(tmp_path, text, ("nginx",), n_dot_conf=conf)
    assert result.services["lb"]["environment"] == {"AT_APP_5000": "127.0.0.1:{port:app}"}
    assert "`app` in its configuration" in result.text


def test_a_port_that_is_not_published_is_said(tmp_path: Path) -> None:
    text = """
services:
  kafka: {image: cp-kafka, ports: ["9092:9092"]}
  a: {image: z, command: ./a, environment: {BROKERS: "kafka:29092"}}
  b: {image: z, command: ./b, environment: {BROKERS: "kafka:9092"}}
"""
    left = _converted(tmp_path, text, ()).left
    assert "listens on 127.0.0.1:29092 before `portsup up`, because its `ports` do not publish that" in left["a"]
    assert left["b"].endswith("listens on 127.0.0.1:9092 before `portsup up`")


@pytest.fixture
def built(tmp_path: Path) -> Callable[[str], Converted]:
    """A service that is built of an image with an entrypoint and a command, and has more keys."""

    def give(keys: str) -> Converted:
        dockerfile = "FROM x\nENTRYPOINT [\"entry\", \"--now\"]\nCMD [\"serve\"]\n"
        return _converted(tmp_path, f"services: {{x: {{build: ., {keys}}}}}", ("entry",), Dockerfile=dockerfile)

    return give


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("restart: 'no'", ["entry", "--now", "serve"]),
        ("command: other", ["entry", "--now", "other"]),
        ("entrypoint: '', command: python3 main.py", ["python3", "main.py"]),
        ("entrypoint: [], command: [python3, main.py]", ["python3", "main.py"]),
        ("command: []", ["entry", "--now"]),
        ("command: ''", ["entry", "--now"]),
        ("entrypoint: mine", ["mine"]),
    ],
)
def test_what_is_given_and_empty_takes_the_place_of_that_of_the_image(
    keys: str, words: list[str], built: Callable[[str], Converted]
) -> None:
    assert list(built(keys).stack.services["x"].command) == words


def test_without_an_entrypoint_nor_a_command_nothing_is_known(built: Callable[[str], Converted]) -> None:
    with pytest.raises(PortsupError):
        built("entrypoint: []")
