"""The scripts that the image of a database runs once: mounted as a directory or file by file, or copied by COPY."""

from pathlib import Path

import pytest

from supervisor.core.state import Hook
from tests.convert.test_images import _converted

PLACE = "/docker-entrypoint-initdb.d"


@pytest.mark.parametrize("image", ["postgres:15", "mariadb", "mysql:8"])
def test_files_that_are_mounted_one_by_one_run_in_the_order_of_their_names(tmp_path: Path, image: str) -> None:
    volumes = f'["./second.sql:{PLACE}/02.sql", "./first table.sql:{PLACE}/01.sql", "./gone.sql:{PLACE}/03.sql"]'
    text = f"services: {{x: {{image: '{image}', volumes: {volumes}}}}}"
    files = {"second.sql": "", "first table.sql": ""}
    result = _converted(tmp_path, text, "postgres", "mariadbd", **files)
    script = result.stack.services["x"].hooks[Hook.PRE_START].command[-1]
    assert "\nfor file in './first table.sql' ./second.sql; do\n" in script


def test_a_directory_comes_before_single_files(tmp_path: Path) -> None:
    volumes = f'["./init:{PLACE}", "./more.sql:{PLACE}/more.sql"]'
    text = f"services: {{x: {{image: postgres, volumes: {volumes}}}}}"
    result = _converted(tmp_path, text, "postgres", **{"init__a.sql": "", "more.sql": ""})
    script = result.stack.services["x"].hooks[Hook.PRE_START].command[-1]
    assert "\nfor file in ./init/* ./more.sql; do\n" in script


def test_what_a_dockerfile_copies_runs_too_whatever_its_image_is_called(tmp_path: Path) -> None:
    dockerfile = f"FROM postgres:15\nCOPY init.sql {PLACE}/\n"
    text = "services: {x: {image: shop-db, build: ./db}}"
    result = _converted(tmp_path, text, "postgres", **{"db__Dockerfile": dockerfile, "db__init.sql": ""})
    script = result.stack.services["x"].hooks[Hook.PRE_START].command[-1]
    assert result.stack.services["x"].command[0] == "postgres"
    assert "\nfor file in ./db/init.sql; do\n" in script


@pytest.mark.parametrize("source", ["*.sql", "sql/*", "[ab].sql sql/?.sql"])
def test_patterns_that_a_dockerfile_copies_are_the_files_that_they_mean(tmp_path: Path, source: str) -> None:
    dockerfile = f"FROM postgres:15\nCOPY --chown=postgres {source} {PLACE}/\n"
    files = {"db__b.sql": "", "db__a.sql": "", "db__sql__d.sql": "", "db__sql__c.sql": ""}
    result = _converted(tmp_path, "services: {x: {build: ./db}}", "postgres", db__Dockerfile=dockerfile, **files)
    script = result.stack.services["x"].hooks[Hook.PRE_START].command[-1]
    above, below = "./db/a.sql ./db/b.sql", "./db/sql/c.sql ./db/sql/d.sql"
    expected = {"*.sql": above, "sql/*": below}.get(source, f"{above} {below}")
    assert f"\nfor file in {expected}; do\n" in script
