"""No secret is in any file: its place has the name of a variable."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.load import load
from supervisor.config.spec import StackSpec
from supervisor.export.model import Target
from supervisor.export.veil import MARK, veiled
from tests.export.conftest import ROOT, SECRETS, Loading, exported, files
from tests.support.budget import tries


@pytest.mark.parametrize("target", Target)
def test_no_file_has_a_secret_or_a_mark(target: Target, rich: StackSpec) -> None:
    made = exported(rich, target)
    text = "\n".join([*(file.text for file in made.files), *map(str, made.losses), *made.steps])
    assert [secret for secret in SECRETS if secret in text] == []
    assert MARK not in text


@pytest.mark.parametrize("target", Target)
def test_every_secret_that_is_needed_is_asked_for(target: Target, rich: StackSpec) -> None:
    made = exported(rich, target)
    needed = {secret.name if target is Target.SYSTEMD else secret.key for secret in made.secrets if secret.needed}
    assert len(needed) >= 4
    assert [name for name in needed if name not in "\n".join(made.steps)] == []


def test_two_services_with_different_values_have_two_names(rich: StackSpec) -> None:
    secrets = exported(rich, Target.COMPOSE).secrets
    keys = {(secret.service, secret.name): secret.key for secret in secrets}
    assert keys["db", "DB_PASSWORD"] == "DB_DB_PASSWORD"
    assert keys["api", "DB_PASSWORD"] == "API_DB_PASSWORD"
    assert keys["seed", "DATABASE_URL"] == "DATABASE_URL"


def test_a_secret_of_a_command_is_the_variable_that_has_it(loading: Loading) -> None:
    stack = loading("services: {a: {command: [a, --token, s3cr3t-of-a], environment: {A_TOKEN: s3cr3t-of-a}}}")
    assert veiled(stack).services["a"].command == ("a", "--token", f"{MARK}A_TOKEN{MARK}")


def test_one_that_is_filled_in_from_the_environment_is_found(loading: Loading) -> None:
    text = 'services: {a: {command: [a, "--key=${API_KEY}", "{\\"x\\": 1}"]}}'
    hidden = veiled(loading(text, {"API_KEY": "from-the-environment"}))
    assert hidden.services["a"].command[1] == f"--key={MARK}A_SECRET_1{MARK}"
    assert hidden.secrets["a"][0].needed


def test_a_secret_that_is_empty_now_is_not_needed(loading: Loading) -> None:
    stack = loading('services: {a: {command: a, environment: {A_TOKEN: ""}}}')
    assert "A_TOKEN: ${A_TOKEN:-}" in files(stack, Target.COMPOSE)["compose.yaml"]
    [unit] = [text for name, text in files(stack, Target.SYSTEMD).items() if name.endswith(".service")]
    assert "EnvironmentFile=-%E/" in unit
    assert "Environment=A_TOKEN=\n" in unit


@pytest.mark.parametrize("target", Target)
def test_the_shipped_stack_keeps_its_keys_to_itself(target: Target) -> None:
    environ = {"GROQ_API_KEY": "gsk_0123456789abcdef,gsk_fedcba9876543210", "API_TOKEN": "t0ken-of-the-gateway"}
    stack = load(ROOT / "services.yaml", environ, ephemeral=())
    text = "".join(files(stack, target).values())
    assert "gsk_" not in text
    assert "t0ken-of" not in text


# What begins like this is in no file by itself.
VALUES = st.text(string.ascii_letters + string.digits + "/+=-'\"$ \\", max_size=40).map(lambda text: f"s3cr3t:{text}")


@tries(6, 500)
@given(value=VALUES)
def test_no_value_of_a_password_comes_through(value: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    from supervisor.config.foreign import to_yaml

    written = value.replace("$", "$$")
    service = {"command": ["a", "--password", written], "environment": {"DB_PASSWORD": written}}
    text = to_yaml({"services": {"a": service}}, 100)
    stack = load(tmp_path_factory.getbasetemp() / "services.yaml", {}, text=text, ephemeral=())
    value = stack.services["a"].environment["DB_PASSWORD"]
    for target in Target:
        assert value not in "".join(files(stack, target).values())
