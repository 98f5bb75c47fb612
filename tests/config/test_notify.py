"""Whom to tell that something has gone wrong."""

import pytest

from supervisor.config import notify as checks
from supervisor.config.show import resolved
from supervisor.core.notices import USUAL, Notify, Occasion
from tests.config.conftest import Loading, Mistakes

TOKEN = "tgram://123456789:abcdefg_hijklmnop/12315544"


@pytest.fixture(autouse=True)
def _apprise_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_is_there", lambda: True)


def stack(notify: str) -> str:
    return f"{{notify: {notify}, services: {{a: {{command: x}}}}}}"


def test_what_is_left_out_is_the_usual(loading: Loading) -> None:
    assert loading(stack("{to: desktop}")).notify == Notify(USUAL, ("desktop",))
    made = loading(stack("{on: [ready], to: [desktop, 'json://h'], run: [say, it], every: 5m}"))
    assert made.notify == Notify((Occasion.READY,), ("desktop", "json://h"), ("say", "it"), 300.0)
    assert loading("services: {a: {command: x}}").notify is None


def test_an_address_is_shown_without_its_secrets(loading: Loading) -> None:
    made = loading(stack(f"{{to: ['{TOKEN}', desktop]}}"))
    assert TOKEN in made.secrets
    assert resolved(made)["notify"] == {
        "on": ["failed", "flapping", "unhealthy"], "to": ["tgram://***", "desktop"], "every": 60.0
    }  # fmt: skip
    assert resolved(made, reveal=True)["notify"]["to"] == [TOKEN, "desktop"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{on: [failed]}", "nobody is named to get it"),
        ("{to: desktop, on: [fialed]}", "`fialed` is not an occasion for a notice"),
        ("{to: deskop}", "expected `desktop` or an address with `://`"),
        ("{to: []}", "nobody is named"),
        ("desktop", "expected a mapping"),
    ],
)
def test_what_cannot_be_is_a_mistake(mistakes: Mistakes, text: str, words: str) -> None:
    assert any(words in mistake for mistake in mistakes(stack(text))), mistakes(stack(text))


def test_a_missing_extra_is_a_mistake_that_names_the_ways_without(
    loading: Loading, mistakes: Mistakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_is_there", lambda: False)
    (mistake,) = mistakes(stack("{to: 'json://h'}"))
    assert "pip install 'portsup[notify]'`, or use `desktop` or `run`" in mistake
    assert loading(stack("{to: desktop, run: say}")).notify is not None
