"""Services of compose that are a web server with what another stage of its Dockerfile has built."""

from pathlib import Path

import pytest

from supervisor.cli.foreign_files import read_text
from supervisor.cli.surroundings import around
from supervisor.convert.around import FileKind
from supervisor.convert.recognise import convert
from supervisor.dataclass import replace
from supervisor.errors import PortsupError
from tests.convert.conftest import Converted

COMPOSE = 'services: {web: {build: ., ports: ["8080:80"]}, other: {command: other}}'
BUILT = """\
FROM node:20 AS build
WORKDIR /app
COPY package.json ./
COPY . .
RUN npm run build
FROM nginx:alpine
"""
SITE = "server { listen 80; root /usr/share/nginx/html; location / { try_files $uri /index.html; } }\n"


def converted(folder: Path, dockerfile: str, compose: str = COMPOSE, *, has_nginx: bool = True) -> Converted:
    (folder / "Dockerfile").write_text(dockerfile)
    facts = around(folder, read_text)

    def kind(path: str) -> FileKind:
        return FileKind.NOTHING if path.endswith("sbin/nginx") else facts.kind_of(path)

    has_program = {"nginx": has_nginx}.get
    here = replace(facts, kind_of=kind, has_program=lambda name: bool(has_program(name)))
    return Converted("compose", compose, folder, None, here)


@pytest.mark.parametrize(
    "runs",
    [
        "",
        'CMD ["nginx", "-g", "daemon off;"]\n',
        "CMD nginx -g 'daemon off;'\n",
        'ENTRYPOINT ["nginx", "-g", "daemon off;"]\n',
        'ENTRYPOINT ["/usr/sbin/nginx"]\nCMD ["-g", "daemon off;"]\n',
    ],
)
@pytest.mark.parametrize("copies", ["/app/dist /usr/share/nginx/html", "/app/dist/ /usr/share/nginx/html/"])
def test_what_is_built_in_the_image_is_served_only_where_it_is_here(tmp_path: Path, runs: str, copies: str) -> None:
    dockerfile = f"{BUILT}COPY --from=build {copies}\nEXPOSE 80\n{runs}"
    absent = converted(tmp_path, dockerfile)
    assert list(absent.services) == ["other"], "the server of this machine has sites of its own"
    assert "what it serves is built in its image" in absent.left_of_file
    (tmp_path / "dist").mkdir()
    web = converted(tmp_path, dockerfile).stack.services["web"]
    assert web.pool[0] == 8080
    before, *_ = web.hooks.values()
    assert "root $PWD/dist;" in before.command[-1]


def test_a_configuration_of_another_stage_is_found_in_the_directory(tmp_path: Path) -> None:
    (tmp_path / ".nginx").mkdir()
    (tmp_path / ".nginx" / "site").write_text(SITE)
    dockerfile = f"{BUILT}COPY --from=build /app/.nginx/site /etc/nginx/conf.d/default.conf\n"
    dockerfile += "WORKDIR /usr/share/nginx/html\nCOPY --from=build /app/build .\n"
    assert "web" not in converted(tmp_path, dockerfile).services
    (tmp_path / "build").mkdir()
    before, *_ = converted(tmp_path, dockerfile).stack.services["web"].hooks.values()
    assert "for file in ./.nginx/site; do sed" in before.command[-1]
    assert "s# /usr/share/nginx/html# $PWD/build#g" in before.command[-1]


@pytest.mark.parametrize(
    ("end", "why"),
    [
        ("COPY tls.conf /etc/nginx/conf.d/default.conf\n", "it has TLS, templates or several ports"),
        ("", "this machine has no `nginx`"),
    ],
)
def test_what_cannot_be_served_says_why(tmp_path: Path, end: str, why: str) -> None:
    (tmp_path / "tls.conf").write_text("server { listen 443 ssl; ssl_certificate /x; }")
    made = converted(tmp_path, f'FROM nginx\n{end}CMD ["nginx", "-g", "daemon off;"]\n', has_nginx=bool(end))
    assert "web" not in made.services
    assert why in made.left_of_file


def test_a_script_around_the_server_stays_the_program(tmp_path: Path) -> None:
    (tmp_path / "start.sh").write_text("#!/bin/sh\nexec nginx\n")
    made = converted(tmp_path, 'FROM nginx\nCOPY start.sh /start.sh\nCMD ["/start.sh"]\n')
    assert made.services["web"]["command"][-1] == "./start.sh"


@pytest.mark.parametrize("command", ["", "command: --providers.docker=true", "command: [--api, --log.level=DEBUG]"])
def test_what_serves_containers_is_named_as_that_whatever_its_options(command: str) -> None:
    text = f"services: {{proxy: {{image: 'traefik:v3', {command}}}}}"
    with pytest.raises(PortsupError, match="it takes its routes from the labels"):
        convert("compose", "compose.yml", text)
    by_file = "services: {proxy: {image: 'traefik:v3', command: --providers.file.filename=routes.yml}}"
    assert convert("compose", "compose.yml", by_file).services[0].fields["command"][0] == "traefik"


def test_a_check_finds_the_secrets_of_its_container(tmp_path: Path) -> None:
    (tmp_path / "db.txt").write_text("x")
    text = """
services:
  db:
    image: mine
    command: serve --port 5000
    secrets: [db-password]
    volumes: [./db.txt:/etc/db.txt]
    healthcheck: {test: 'ask --password="$$(cat /run/secrets/db-password)" --file /nowhere'}
  other:
    image: mine
    command: serve
    secrets: [db-password]
    healthcheck: {test: [CMD, ask, --from, /run/secrets/db-password]}
    post_start: [{command: [tell, /run/secrets/db-password]}]
secrets: {db-password: {file: db.txt}}
"""
    services = Converted("compose", text, tmp_path, around=around(tmp_path, read_text)).stack.services
    assert services["db"].ready.probe.command[-1] == 'ask --password="$(cat ./db.txt)" --file /nowhere'
    assert services["other"].ready.probe.command == ("ask", "--from", "./db.txt")
    assert [hook.command for hook in services["other"].hooks.values()] == [("tell", "./db.txt")]


@pytest.mark.parametrize(
    ("copies", "command", "file"),
    [
        ("/app/dist ./dist", "node dist/main.js", "dist/main.js"),
        ("/out/app.jar /app.jar", "java -Xmx1g -jar /app.jar", "/app.jar"),
        ("/app/publish .", "dotnet shop.dll --urls http://x.js", "shop.dll"),
        ("/app .", "npm run start", ""),
        ("/deps /usr/local", "gunicorn wsgi.py", ""),
        ("/app/dist ./dist", "node here.js", ""),
    ],
)
@pytest.mark.parametrize("form", ["CMD {}", "CMD [{}]"])
def test_files_that_an_interpreter_runs_and_the_image_builds_are_said(
    tmp_path: Path, copies: str, command: str, file: str, form: str
) -> None:
    (tmp_path / "here.js").write_text("")
    told = form.format(command if form == "CMD {}" else ", ".join(f'"{word}"' for word in command.split()))
    dockerfile = f"FROM node AS build\nWORKDIR /app\nCOPY . .\nFROM node\nWORKDIR /srv\nCOPY --from=build {copies}\n"
    dockerfile += "COPY here.js ./\n"
    made = converted(tmp_path, dockerfile + told)
    said = made.left["web"]
    assert ("it is built in its image" in said) is bool(file)
    assert f"`{file}` in the command" in said or not file
