"""Services of compose that are only an image, where the program of it may be on this machine."""

from pathlib import Path, PurePath
from typing import Any

import pytest
import yaml

from supervisor.convert.around import Around, FileKind
from supervisor.convert.dockerfile import parse
from supervisor.core.state import Hook
from supervisor.errors import PortsupError
from tests.convert.conftest import Converted

TEXT = """
services:
  web: {command: ./web --redis redis:6379, depends_on: [store]}
  store: {image: "redis:7-alpine", container_name: redis}
  search: {image: "elasticsearch:8.11.0"}
"""
ALL = (
    "redis-server",
    "memcached",
    "postgres",
    "mariadbd",
    "nginx",
    "caddy",
    "mongod",
    "minio",
    "valkey-server",
    "keydb-server",
    "php-fpm",
)


def _converted(folder: Path, text: str, *programs: str, **files: str) -> Converted:
    return Converted("compose", text, folder, None, _around(programs, files))


def _around(programs: tuple[str, ...], files: dict[str, str], *, is_root: bool = False) -> Around:
    known = {path.replace("__", "/").replace("_dot_", "."): text for path, text in files.items()}

    def read(path: str) -> str:
        if path not in known:
            raise PortsupError(f"cannot read `{path}`", "it is not there")
        return known[path]

    def kind(path: str) -> FileKind:
        if path in known:
            return FileKind.TEXT
        return FileKind.FOLDER if any(each.startswith(f"{path}/") for each in known) else FileKind.NOTHING

    def matching(pattern: str) -> list[str]:
        return sorted(each for each in known if PurePath(each).match(pattern) and each.count("/") == pattern.count("/"))

    return Around(read, kind, matching, lambda name: name in programs, is_root=is_root)


def _service(folder: Path, service: str, *programs: str, **files: str) -> tuple[Any, str, Converted]:
    """The service `x`, and the script that runs before it."""
    result = _converted(folder, f"services: {{x: {service}}}", *(programs or ALL), **files)
    spec = result.stack.services["x"]
    hook = spec.hooks.get(Hook.PRE_START)
    return spec, hook.command[-1] if hook else "", result


def test_an_image_of_a_known_server_runs_the_program_of_this_machine(tmp_path: Path) -> None:
    result = _converted(tmp_path, TEXT, "redis-server")
    store = result.stack.services["store"]
    assert list(store.command) == ["redis-server", "--port", "{port}", "--dir", ".portsup/store-{instance}"]
    assert store.pool[0] == 6379
    assert result.services["web"]["command"] == ["./web", "--redis", "127.0.0.1:{port:store}"]
    assert result.services["web"]["depends_on"] == {"store": "started"}
    assert "`redis-server` is there" in result.left["store"]
    assert set(result.services) == {"web", "store"}


def test_without_the_program_it_is_a_block_that_can_be_put_in(tmp_path: Path) -> None:
    result = _converted(tmp_path, TEXT)
    assert set(result.services) == {"web"}
    _, _, block = result.text.partition("\n# store:\n")
    lines = [line[4:] for line in block.partition("\n\n")[0].splitlines()]
    assert yaml.safe_load("\n".join(lines))["pool"][0] == 6379


@pytest.mark.parametrize(
    ("service", "command", "port"),
    [
        ("{image: redis, ports: ['6400:6379']}", ["redis-server", "--port", "{port}"], 6400),
        ("{image: redis, command: --save ''}", ["redis-server", "--port", "{port}", "--save", ""], 6379),
        ("{image: redis, command: --port 7000}", ["redis-server", "--port", "{port}"], 7000),
        ("{image: redis, command: redis-server --appendonly yes}", ["redis-server", "--port", "{port}",
         "--appendonly", "yes"], 6379),
        ("{image: redis, command: redis-server /etc/r.conf, volumes: ['./r.conf:/etc/r.conf']}",
         ["redis-server", "./r.conf", "--port", "{port}"], 6379),
        ("{image: bitnami/redis, environment: {REDIS_PASSWORD: hush}}", ["redis-server", "--port", "{port}",
         "--requirepass", "hush"], 6379),
        ("{image: 'valkey/valkey:8'}", ["valkey-server", "--port", "{port}"], 6379),
        ("{image: eqalpha/keydb, command: keydb-server /etc/r.conf --requirepass x, volumes: ['./r.conf:/etc/r.conf']}",
         ["keydb-server", "./r.conf", "--port", "{port}", "--requirepass", "x"], 6379),
        ("{image: 'x.io/me/memcached:1'}", ["memcached", "-p", "{port}"], 11211),
        ("{image: memcached, command: ['-m', '64']}", ["memcached", "-p", "{port}", "-m", "64"], 11211),
        ("{image: mongo, command: --bind_ip_all --wiredTigerCacheSizeGB 1}", ["mongod", "--port", "{port}",
         "--bind_ip", "127.0.0.1", "--nounixsocket", "--wiredTigerCacheSizeGB", "1"], 27017),
        ("{image: minio/minio, command: server /data --console-address ':9001'}", ["minio", "server",
         ".portsup/x-{instance}", "--address", "127.0.0.1:{port}", "--console-address", ":9001"], 9000),
    ],
)  # fmt: skip
def test_options_go_to_the_program_of_the_image(service: str, command: list[str], port: int, tmp_path: Path) -> None:
    spec, _, _ = _service(tmp_path, service, **{"r_dot_conf": "save 1 1"})
    found = list(spec.command)
    for option in ("--dir", "--dbpath"):
        if option in found:
            at = found.index(option)
            assert found[at + 1] == ".portsup/x-{instance}"
            del found[at : at + 2]
    assert (found, spec.pool[0]) == (command, port)


@pytest.mark.parametrize(
    ("image", "command"),
    [
        ("redis/redis-stack:latest", '[redis-stack-server, --port, "{port}"]'),
        ("redislabs/redismod", '[redis-server, --port, "{port}"]'),
        ("docker.dragonflydb.io/dragonflydb/dragonfly", '[dragonfly, --bind, "127.0.0.1", --port, "{port}"]'),
    ],
)
def test_a_relative_of_redis_is_a_block_with_its_program_and_port(tmp_path: Path, image: str, command: str) -> None:
    text = f"services: {{x: {{image: {image}, ports: ['6400:6379']}}, web: {{command: ./web}}}}"
    written = _converted(tmp_path, text, *ALL).text
    assert f"#   command: {command}\n" in written
    assert "#   pool: [6400, 6401, 6402]\n" in written


def test_what_another_program_runs_is_not_taken_for_the_server(tmp_path: Path) -> None:
    for command in ("sh -c 'redis-server --port 1'", "redis-cli monitor"):
        result = _converted(tmp_path, f'services: {{x: {{image: redis, command: "{command}"}}}}', *ALL)
        assert result.stack.services["x"].command[0] == command.split()[0]
    result = _converted(tmp_path, "services: {x: {image: redis, entrypoint: [./mine]}}", *ALL)
    assert list(result.stack.services["x"].command) == ["./mine"]


def test_postgres_has_its_user_and_its_database_before_it_listens(tmp_path: Path) -> None:
    spec, script, result = _service(
        tmp_path,
        "{image: 'postgres:16', command: postgres -c max_connections=9 -p 5433,"
        " volumes: ['./init:/docker-entrypoint-initdb.d'],"
        " environment: {POSTGRES_PASSWORD: p, PGDATA: /x}, healthcheck: {test: [CMD-SHELL, pg_isready -U a]}}",
        init__a_dot_sql="select 1",
    )
    assert list(spec.command)[:5] == ["postgres", "-D", ".portsup/x-{instance}", "-p", "{port}"]
    assert list(spec.command)[-2:] == ["-c", "max_connections=9"]
    assert "initdb" in script
    assert "for file in ./init/*" in script
    assert "PGDATA" not in spec.environment
    assert result.services["x"]["ready"]["exec"] == ["pg_isready", "-h", "127.0.0.1", "-p", "{port}", "-U", "a"]
    assert result.services["x"]["stop_signal"]["signal"] == "SIGINT"
    assert "its data is made anew" in result.text


def test_postgres_of_root_is_the_user_postgres(tmp_path: Path) -> None:
    text = "services: {x: {image: postgres, environment: {POSTGRES_PASSWORD: p}}}"
    result = Converted("compose", text, tmp_path, None, _around(("postgres",), {}, is_root=True))
    spec = result.stack.services["x"]
    assert list(spec.command)[:2] == ["setpriv", "--reuid=postgres"]
    assert "/var/lib/postgresql/portsup-stack/x-{instance}" in spec.command
    assert "as() { setpriv --reuid=postgres" in spec.hooks[Hook.PRE_START].command[-1]


def test_mariadb_for_mysql_ignores_what_it_does_not_know(tmp_path: Path) -> None:
    spec, script, result = _service(
        tmp_path,
        "{image: 'mysql:8', command: --default-authentication-plugin=x, environment: {MYSQL_ROOT_PASSWORD: r},"
        " healthcheck: {test: mysqladmin ping -h localhost -p$$MYSQL_ROOT_PASSWORD}}",
    )
    assert {"--loose-default-authentication-plugin=x", "--port={port}"} < set(spec.command)
    assert "mariadb-install-db" in script
    assert "for file in" not in script
    assert "-P {port} ping -h localhost" in result.services["x"]["ready"]["exec"][-1]
    spec, _, result = _service(tmp_path, "{image: 'mariadb:11', healthcheck: {test: [CMD, healthcheck.sh, --connect]}}")
    assert "healthcheck" not in result.services["x"], "its program is in the image alone"
    assert "`healthcheck.sh` of its health check is only in its image" in result.text


def test_a_server_on_top_of_an_image_has_what_its_dockerfile_copies(tmp_path: Path) -> None:
    _, script, _ = _service(
        tmp_path,
        "{build: ./b}",
        b__Dockerfile="FROM nginx\nCOPY site.conf /etc/nginx/conf.d/default.conf\nCOPY html /usr/share/nginx/html\n",
        b__site_dot_conf="server { listen 80; root /usr/share/nginx/html; }",
        b__html__index_dot_html="hello",
    )
    assert "for file in ./b/site.conf" in script
    assert "$PWD/b/html" in script


def test_php_runs_by_fpm_where_its_sources_are(tmp_path: Path) -> None:
    service = "{image: 'php:8.2-fpm-alpine', volumes: ['./src:/var/www/html']}"
    spec, script, result = _service(tmp_path, service, src__index_dot_php="<?php")
    assert list(spec.command) == ["php-fpm", "-F", "-O", "-y", ".portsup/x-{instance}/fpm.conf"]
    assert (spec.pool[0], result.services["x"]["stop_signal"]["signal"]) == (9000, "SIGQUIT")
    assert "listen = 127.0.0.1:$PORT" in script
    assert "chdir = $PWD/src" in script
    text = "services: {x: {image: 'php:8.2-cli', command: php a.php}}"
    assert list(_converted(tmp_path, text, *ALL).stack.services["x"].command) == ["php", "a.php"]


def test_a_proxy_follows_its_neighbors(tmp_path: Path) -> None:
    text = """
services:
  web: {image: nginx, volumes: ["./n.conf:/etc/nginx/conf.d/default.conf"], ports: ["8088:80"]}
  edge: {image: caddy, volumes: ["./Caddyfile:/etc/caddy/Caddyfile"], ports: ["8089:80"]}
  api: {image: x, command: ./api --port 3000}
"""
    files = {
        "n_dot_conf": "upstream u { server api; }\nserver { listen 80; location / { proxy_pass http://api:3000/; } }",
        "Caddyfile": "shop.example {\n\treverse_proxy api:3000\n}\n",
    }
    result = _converted(tmp_path, text, "nginx", "caddy", **files)
    services = result.services
    assert services["web"]["environment"]["AT_API_3000"] == "127.0.0.1:{port:api}"
    assert services["edge"]["environment"]["AT_API_3000"] == "127.0.0.1:{port:api}"
    assert "`shop.example` is plain HTTP here, for every name" in result.text
    assert int(services["web"]["pool"][0]) == 8088


@pytest.mark.parametrize(
    ("service", "files"),
    [
        ("{image: nginx}", {}),
        ("{image: nginx, volumes: ['./t:/etc/nginx/templates']}", {"t__a": "listen ${PORT};"}),
        ("{image: nginx, volumes: ['./n.conf:/etc/nginx/conf.d/default.conf']}", {"n_dot_conf": "listen 443 ssl;"}),
        ("{image: caddy, volumes: ['./Caddyfile:/etc/caddy/Caddyfile']}", {"Caddyfile": "a.b {\n}\nc.d {\n}\n"}),
        ("{image: caddy}", {}),
        ("{image: mongo, environment: {MONGO_INITDB_ROOT_USERNAME: a}}", {}),
    ],
)  # fmt: skip
def test_what_would_not_be_the_same_is_left_as_a_block(service: str, files: dict[str, str], tmp_path: Path) -> None:
    text = f"services: {{x: {service}, y: {{image: z, command: ./y}}}}"
    assert set(_converted(tmp_path, text, *ALL, **files).services) == {"y"}


def test_a_dollar_that_quotes_keep_begins_no_variable() -> None:
    told = r"""FROM x
ENV A=1
ENV HASH='$2y$10$A' ESCAPED=\$A INNER="\$A $A" PLAIN="it's $A" OLD=$A'$A'
ENV LEGACY costs \$A
CMD ./run
"""
    found = parse(told)
    assert found is not None
    assert found.environment == {
        "A": "1", "HASH": "$2y$10$A", "ESCAPED": "$A", "INNER": "$A 1", "PLAIN": "it's 1", "OLD": "1$A",
        "LEGACY": "costs $A",
    }  # fmt: skip


def test_a_proxy_for_containers_is_named_as_that(tmp_path: Path) -> None:
    result = _converted(tmp_path, "services: {x: {image: 'traefik:v3'}, y: {image: z, command: ./y}}")
    assert "it takes its routes from the labels and variables of containers; give services names by `names`" in (
        result.left_of_file
    )
