"""Words of a compose file that look like hosts, and paths in it with signs and variables."""

import subprocess
from pathlib import Path

import pytest

from supervisor.cli.foreign_files import read_text
from supervisor.cli.surroundings import around
from tests.convert.conftest import Converted


@pytest.mark.parametrize(
    ("variable", "own", "of_a_neighbor"),
    [
        ("SMTP_HOST", True, True),
        ("DB_HOSTNAME", True, True),
        ("DATABASE_SERVER", True, True),
        ("POSTGRES_USER_URL", True, True),
        ("BROKER", False, True),
        ("MEMCACHED", False, True),
        ("TITLE", False, False),
        ("FLASK_APP", False, False),
        ("APP_NAME", False, False),
        ("SERVER_NAME", False, False),
        ("URL_PREFIX", False, False),
        ("CONTAINER_ROLE", False, False),
        ("APP_ENV", False, False),
        ("NODE_ENV", False, False),
        ("QUEUE", False, False),
    ],
)
def test_the_name_of_a_service_is_a_host_where_one_is_meant(
    tmp_path: Path, variable: str, own: bool, of_a_neighbor: bool
) -> None:
    web = f"{{command: web, environment: {{{variable}: web, X_{variable}: store}}}}"
    text = f"services: {{web: {web}, store: {{command: store}}}}"
    environment = Converted("compose", text, tmp_path).stack.services["web"].environment
    assert environment[variable] == ("127.0.0.1" if own else "web")
    assert environment[f"X_{variable}"] == ("127.0.0.1" if of_a_neighbor else "store")


@pytest.mark.live
def test_paths_with_a_dollar_and_of_the_directory_itself_are_found(tmp_path: Path) -> None:
    (tmp_path / "o$d").mkdir()
    (tmp_path / "o$d" / "p.sh").write_text("echo found\n")
    (tmp_path / "o$d" / "Dockerfile").write_text('FROM alpine\nWORKDIR /w\nCOPY . /w\nCMD ["sh", "p.sh"]\n')
    (tmp_path / "sub").mkdir()
    text = """
services:
  mounted:
    image: alpine
    working_dir: /data
    command: sh -c "cat /odd/p.sh; cat '/odd/p.sh' \\"/odd/p.sh\\"; touch /new/x"
    volumes: ["./o$$d:/odd", "${PWD}/sub:/data", "./n$$w:/new"]
  built: {build: {context: "./o$$d"}}
  by_default: {build: "${CONTEXT:-./o$$d}", command: [sh, /here/sub, "/w/p.sh"], volumes: [$PWD:/here]}
  unknown: {build: "${NOWHERE}", command: [x]}
"""
    made = Converted("compose", text, tmp_path, around=around(tmp_path, read_text))
    services = made.stack.services
    mounted = services["mounted"]
    assert mounted.working_dir == tmp_path / "sub"
    before, *_ = mounted.hooks.values()
    subprocess.run(before.command, cwd=mounted.working_dir, check=True)
    ran = subprocess.run(mounted.command, cwd=mounted.working_dir, check=True, capture_output=True, text=True)
    assert ran.stdout == "echo found\n" * 3
    assert (tmp_path / "n$w" / "x").exists()
    assert services["built"].working_dir == services["by_default"].working_dir == tmp_path / "o$d"
    assert services["built"].command == ("sh", "p.sh")
    assert services["by_default"].command == ("sh", "../sub", "./p.sh")
    assert services["unknown"].working_dir == tmp_path


@pytest.mark.parametrize("told", ['ENTRYPOINT ["/entrypoint"]\nCMD ["/start"]', 'ENTRYPOINT ["/entrypoint"]'])
def test_scripts_that_are_executable_in_the_image_alone_are_run_by_their_interpreter(tmp_path: Path, told: str) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "entrypoint").write_text('#!/bin/bash\nexec "$@"\n')
    (tmp_path / "scripts" / "start").write_text("#!/usr/bin/env python3\nprint(1)\n")
    lines = ["FROM python", "WORKDIR /srv", "COPY scripts/entrypoint /entrypoint", "COPY scripts/start /start"]
    lines += ["RUN chmod +x /entrypoint /start", "ENV PYTHONPATH=/srv/lib DATA=/elsewhere", told]
    (tmp_path / "Dockerfile").write_text("\n".join(lines))
    command = "" if "CMD" in told else ", command: /start"
    text = f"services: {{x: {{build: .{command}, env_file: x.env}}, mail: {{image: mailpit, ports: ['1025:1025']}}}}"
    (tmp_path / "x.env").write_text("EMAIL_HOST=mail\n")
    made = Converted("compose", text, tmp_path, around=around(tmp_path, read_text))
    assert made.services["x"]["command"] == ["bash", "./scripts/entrypoint", "python3", "./scripts/start"]
    environment = made.services["x"]["environment"]
    assert (environment["PYTHONPATH"], environment["DATA"]) == ("./lib", "/elsewhere")
    assert environment["EMAIL_HOST"] == "127.0.0.1"
    assert (
        "`mail` is not carried over, so 127.0.0.1 is written; see that it listens on 127.0.0.1:1025" in made.left["x"]
    )
