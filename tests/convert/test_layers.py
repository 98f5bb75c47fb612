"""Several files of compose and process-compose, and what extends what in them."""

from collections.abc import Mapping
from typing import Any

import pytest

from supervisor.convert.around import Around
from supervisor.convert.draft import Draft, Outcome
from supervisor.convert.probes import from_command
from supervisor.convert.recognise import convert
from supervisor.errors import PortsupError, UsageError

DOTENV = {".env": "STACK_OF_ENV=of-env\n"}


def converted(kind: str, *texts: str, files: Mapping[str, str] | None = None) -> tuple[dict[str, Draft], Outcome]:
    """The services by name; `files` are those that can be read beside the ones given."""

    def read(path: str) -> str:
        if path not in (files or {}):
            raise PortsupError(f"cannot read `{path}`", "No such file or directory")
        return (files or {})[path]

    first, *over = ((f"{number}.yml", text) for number, text in enumerate(texts))
    outcome = convert(kind, *first, over, Around(read))
    return {service.name: service for service in outcome.services}, outcome


def test_files_of_compose_are_merged_as_compose_does() -> None:
    base = """
services:
  web:
    command: [web, --fast]
    environment: [A=base, B=base]
    env_file: a.env
    ports: ["8000:80"]
    depends_on: [db]
    healthcheck: {test: [CMD, one], retries: 5}
  db: {command: db}
  gone: {command: gone}
"""
    over = """
services:
  web:
    command: [web]
    environment: {B: over}
    env_file: [b.env]
    ports: ["9000:90"]
    depends_on: {cache: {condition: service_healthy}}
    healthcheck: {test: [CMD, two]}
  cache: {command: cache}
  gone: !reset null
"""
    services, _ = converted("compose", base, over)
    web = services["web"]
    assert list(services) == ["web", "db", "cache"]
    assert web.fields["command"] == ["web"]
    assert web.environment == {"A": "base", "B": "over"}
    assert [file["path"] for file in web.fields["env_file"]] == ["a.env", "b.env"]
    assert web.ports[0] == 8000
    assert any("9000" in str(left) for left in web.left)
    assert web.fields["depends_on"] == {"db": "started", "cache": "ready"}
    assert web.fields["healthcheck"]["exec"] == ["two"]
    assert web.fields["healthcheck"]["retries"] == 5
    services, _ = converted("compose", base, "services: {web: {environment: !override {C: c}, ports: !reset []}}")
    assert (services["web"].environment, services["web"].ports) == ({"C": "c"}, [])


def test_what_a_service_of_compose_extends_is_put_in() -> None:
    text = """
services:
  base: {command: serve, environment: {A: base, B: base}}
  web: {extends: base, environment: {B: web}}
  api: {extends: {file: sub/common.yml, service: api}, environment: {OWN: "1"}}
  lost: {extends: {file: none.yml, service: x}, command: lost}
  round: {extends: round, command: round}
  typo: {extends: bsae, command: typo}
"""
    common = "services: {api: {extends: root, command: api}, root: {environment: {ROOT: r}, mem_limit: 64m}}"
    services, outcome = converted("compose", text, files={"sub/common.yml": common})
    assert (services["web"].fields["command"], services["web"].environment) == (["serve"], {"A": "base", "B": "web"})
    assert services["api"].environment == {"ROOT": "r", "OWN": "1"}
    assert services["api"].fields["memory_limit"] == "64MB"
    left = [str(each) for each in outcome.left]
    for words in (
        "`extends` of `lost`: cannot read `none.yml`: No such file or directory; copy the keys of `x` here",
        "`extends` of `round`: it goes round in a circle",
        "`extends` of `typo`: there is no `bsae`",
    ):
        assert any(words in each for each in left), left


def test_a_file_of_process_compose_extends_others() -> None:
    text = "extends: base.yaml\nprocesses: {web: {environment: [B=own], disabled: true}}"
    files = {
        "base.yaml": "extends: root.yaml\nprocesses: {web: {command: web, environment: [A=base, B=base]}}",
        "root.yaml": "extends: base.yaml\nprocesses: {db: {command: db}}",
    }
    services, outcome = converted("process-compose", text, files=files)
    assert list(services) == ["db", "web"]
    assert services["web"].environment == {"A": "base", "B": "own"}
    assert services["web"].fields["autostart"] is False
    assert ["circle" in str(each) for each in outcome.left] == [True]


@pytest.mark.parametrize(
    ("name", "known"), [("${STACK:-shop}", "shop"), ("$STACK_OF_ENV", "of-env"), ("${NOWHERE}", "")]
)
def test_the_name_of_a_compose_file_may_come_from_a_variable(name: str, known: str) -> None:
    _, outcome = converted("compose", f"name: {name}\nservices: {{web: {{command: web}}}}", files=DOTENV)
    assert outcome.name == known


@pytest.mark.parametrize(
    "text",
    [
        "services: {web: {ports: ['80:80']}, db: {restart: always}}",
        "services: {web: {command: [--debug], environment: {A: b}}}",
    ],
)
def test_a_file_that_is_only_laid_over_another_one_is_told_from_one_without_programs(text: str) -> None:
    with pytest.raises(PortsupError, match="it is laid over another one") as caught:
        convert("compose", "compose.prod.yaml", text)
    assert "--from compose.yaml --from FILE" in caught.value.hint


def test_files_of_other_programs_are_converted_one_by_one() -> None:
    with pytest.raises(UsageError, match="no such thing with procfile"):
        convert("procfile", "Procfile", "web: serve", [("Procfile.dev", "web: serve -d")])


@pytest.mark.parametrize(
    ("command", "probe"),
    [
        ("curl -f -H 'Authorization: Bearer x' http://localhost/health || exit 1",
         {"http": {"path": "/health", "headers": {"Authorization": "Bearer x"}}}),
        ("curl -fsS --header=Accept:x http://127.0.0.1/", {"http": {"path": "/", "headers": {"Accept": "x"}}}),
        ("curl -f http://localhost/health", {"http": "/health"}),
        ("curl -X POST http://localhost/health", {"exec": ["sh", "-c", "curl -X POST http://localhost/health"]}),
        ("curl -u me:x http://localhost/", {"exec": ["sh", "-c", "curl -u me:x http://localhost/"]}),
    ],
)  # fmt: skip
def test_headers_of_curl_are_sent_and_what_is_more_than_a_get_stays_curl(command: str, probe: dict[str, Any]) -> None:
    assert from_command(["sh", "-c", command], Draft("web")) == probe
