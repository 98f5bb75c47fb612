"""Who is asked to end, and who keeps a standard input, as it is where a file comes from."""

from collections.abc import Callable

import pytest

from supervisor.config.spec import Stdin, StopTo
from tests.convert.conftest import Converted

Convert = Callable[..., Converted]
SUPERVISORD = "[program:api]\ncommand=celery worker\n"
COMPOSE = "services: {api: {command: celery worker"
PROCESSES = "processes: {api: {command: celery worker"
PM2 = '{"apps": [{"name": "api", "script": "./celery"'


@pytest.mark.parametrize(
    ("kind", "text", "number", "to"),
    [
        ("supervisord", SUPERVISORD, 15, StopTo.MAIN),
        ("supervisord", SUPERVISORD + "stopsignal=INT\nstopasgroup=false\n", 2, StopTo.MAIN),
        ("supervisord", SUPERVISORD + "stopasgroup=true\n", 15, StopTo.GROUP),
        ("supervisord", SUPERVISORD + "stopasgroup=true\nstopsignal=QUIT\n", 3, StopTo.GROUP),
        ("compose", COMPOSE + "}}", 15, StopTo.MAIN),
        ("compose", COMPOSE + ", stop_signal: SIGINT}}", 2, StopTo.MAIN),
        ("compose", COMPOSE + ", stop_signal: SIGRTMIN+3}}", 37, StopTo.MAIN),
        ("process-compose", PROCESSES + "}}", 15, StopTo.GROUP),
        ("process-compose", PROCESSES + ", shutdown: {signal: 2, parent_only: yes}}}", 2, StopTo.MAIN),
        ("process-compose", PROCESSES + ", shutdown: {signal: 2}}}", 2, StopTo.GROUP),
        ("pm2", PM2 + "}]}", 2, StopTo.GROUP),
        ("pm2", PM2 + ', "treekill": false}]}', 2, StopTo.MAIN),
        ("procfile", "api: celery worker", 15, StopTo.GROUP),
    ],
)
def test_who_is_asked_to_end(converted: Convert, kind: str, text: str, number: int, to: StopTo) -> None:
    service = converted(kind, text).stack.services["api"]
    assert (service.stop_signal, service.stop_to) == (number, to)


@pytest.mark.parametrize(
    ("kind", "text", "stdin"),
    [
        ("procfile", "api: bin/rails tailwindcss:watch", Stdin.OPEN),
        ("procfile", "api: bin/rails server", Stdin.NULL),
        ("supervisord", "[program:api]\ncommand=npx esbuild a.js --watch\n", Stdin.OPEN),
        ("pm2", '{"apps": [{"name": "api", "script": "esbuild", "args": "a.js --watch"}]}', Stdin.OPEN),
        ("compose", COMPOSE + ", stdin_open: true}}", Stdin.OPEN),
        ("compose", "services: {api: {command: esbuild a.js --watch}}", Stdin.NULL),
    ],
)
def test_who_keeps_a_standard_input(converted: Convert, kind: str, text: str, stdin: Stdin) -> None:
    assert converted(kind, text).stack.services["api"].stdin is stdin
