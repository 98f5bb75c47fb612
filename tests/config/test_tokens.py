"""Secrets that are known by what they look like, whatever the name of their variable."""

import pytest

from supervisor.config.secrets import redact_environment, secret_values, secrets_among


@pytest.mark.parametrize(
    "token",
    [
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "glpat-0123456789abcdefghij",
        "xoxb-0123456789-abcdefghij",
        "hf_abcdefghij0123456789",
        "sk_live_0123456789abcdef",
        "sk-0123456789abcdefghij0123",
        "sk-proj-0123456789abcdefghij_0123-x",
    ],
)
def test_a_token_is_known_by_how_it_begins_under_any_name(token: str) -> None:
    assert set(secret_values("UPSTREAM", f"a {token}")) == {token}
    assert redact_environment({"UPSTREAM": f"a {token} b"}, ()) == {"UPSTREAM": "a *** b"}
    assert token in set(secrets_among(["run", "--with", token]))


def test_a_token_in_place_of_the_user_of_a_url_is_one() -> None:
    url = "https://0123456789abcdef0123456789abcdef@errors.example/4"
    assert redact_environment({"ERRORS": url}, ()) == {"ERRORS": "https://***@errors.example/4"}


@pytest.mark.parametrize(
    "text",
    ["sk-learn-classifier-of-2024", "task-0123456789abcdefghij0123", "ssh://deploy@host/x", "my_hf_model_2024_07_21_v3",
     "https://a-very-long-name-of-a-person@host/"],
)  # fmt: skip
def test_what_only_looks_like_a_token_is_shown(text: str) -> None:
    assert set(secret_values("UPSTREAM", text)) == set()
