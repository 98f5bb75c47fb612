"""Secrets within the values of variables and among the words of commands, known by what stands before them."""

import pytest

from supervisor.config.secrets import masked_words, redact_environment, secret_values, secrets_among


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ('{"db": {"password": "jsonpass-12345"}, "user": "bob", "key": "background"}', "jsonpass-12345"),
        ('{"client_secret": "a\\"b-12345678"}', 'a\\"b-12345678'),
        ("Bearer bearertoken-12345678", "bearertoken-12345678"),
        ("Server=db;User Id=sa;Password=connpass-1234;Encrypt=no", "connpass-1234"),
        ("host=x password=libpqpass-1 dbname=y", "libpqpass-1"),
        ("-Dspring.datasource.password=javapass-1 -Xmx1g", "javapass-1"),
        ("https://hooks.slack.com/services/T000/B000/slackhook1234567", "T000/B000/slackhook1234567"),
        ("https://discord.com/api/webhooks/123456789012/abcdefghijklmnopqrst-1", "123456789012/abcdefghijklmnopqrst-1"),
        ("gsk_abcdefghijklmnopqrstuvwxyz0123456789", "gsk_abcdefghijklmnopqrstuvwxyz0123456789"),
        ("eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2", "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2"),
        ("alter user x password 'sqlpass-12345'", "sqlpass-12345"),
        ("Authorization is Basic YWRhOmJhc2ljcGFzcw==, as told", "YWRhOmJhc2ljcGFzcw=="),
        ("basic YWRhOmJhc2ljcGFzczE", "YWRhOmJhc2ljcGFzczE"),
        ('{"sort_key": "a1b2c3d4e5f6a7b8c9"}', "a1b2c3d4e5f6a7b8c9"),
    ],
)
def test_a_secret_within_the_value_of_any_variable(value: str, secret: str) -> None:
    assert secret in set(secret_values("ANYTHING", value))
    shown = redact_environment({"ANYTHING": value}, ())["ANYTHING"]
    assert secret not in shown
    assert shown == value.replace(secret, "***")


@pytest.mark.parametrize(
    "value",
    ["Basic authentication", '{"key": "background", "auth": "optional"}', "Key: value", "mode=key;key=color",
     "Password: please enter", "basic auth of 12 users", "a password of 'no' use", "token=$TOKEN",
     "Basic authentication2024 is on", "/list?sort_key=name&cache_key=users", '{"keyId": "main-2024-signing"}',
     '{"partitionKey": "tenant", "private_key_id": "0123456789abcdef01"}'],
)  # fmt: skip
def test_what_only_speaks_of_secrets_is_none(value: str) -> None:
    assert set(secret_values("ANYTHING", value)) - {"no"} == set()


def test_the_user_and_the_headers_of_curl_are_masked() -> None:
    words = ["curl", "-u", "ada:basicpass-1", "-H", "Authorization: Bearer tok-12345678", "-H", "X-Api-Key: abc1"]
    assert masked_words(words) == ["curl", "-u", "ada:***", "-H", "Authorization: ***", "-H", "X-Api-Key: ***"]
    assert {"basicpass-1", "tok-12345678", "abc1"} <= set(secrets_among(words))
    assert masked_words(["docker", "run", "-u", "1000:1000"]) == ["docker", "run", "-u", "1000:1000"]


def test_keys_of_data_are_shown_in_commands() -> None:
    words = ["serve", "--sort-key", "name", "--cache-key=users", "http://x/?partition_key=tenant", "--key-id", "main"]
    assert masked_words(words) == words
    assert set(secrets_among(words)) == set()
    assert masked_words(["serve", "--cache-key", "a1b2c3d4e5f6a7b8c9"]) == ["serve", "--cache-key", "***"]
