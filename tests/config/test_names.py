"""`names`, as it is written."""

import pytest

from supervisor.config import caddy
from supervisor.config.difference import difference
from supervisor.config.show import resolved
from supervisor.core.hostnames import Names
from tests.config.conftest import Loading, Mistakes

WEB = "services: {web: {command: x, pool: 8000-8002}}"


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Caddy there is."""
    found = ["/usr/bin/caddy"]
    monkeypatch.setattr(caddy, "found", lambda: found)
    return found


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{}", Names()),
        ("1400", Names(1400)),
        ("{port: 1400}", Names(1400)),
        ("{https: true}", Names(https=True)),
    ],
)
def test_a_port_is_enough(loading: Loading, text: str, names: Names) -> None:
    stack = loading(f"names: {text}\n{WEB}")
    assert (stack.names, stack.warnings) == (names, ())
    assert resolved(stack)["names"] == {"port": names.port, "https": names.https}


def test_without_the_key_nothing_has_a_name(loading: Loading) -> None:
    stack = loading(WEB)
    assert (stack.names, "names" in resolved(stack)) == (None, False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"names: 6000\n{WEB}", "browsers refuse port 6000"),
        (f"names: 8001\n{WEB}", "8001 is the port of `names`"),
        (f"names: 0\n{WEB}", "`0`"),
        (f"names: {{ports: 1355}}\n{WEB}", "unknown key `ports`"),
        (
            "names: {}\nservices: {a-: {command: x, pool: 8000-8002}, a: {command: x, pool: 8010-8012}}",
            "`a` and `a-` both get the name `a`",
        ),
    ],
)
def test_what_cannot_be_is_a_mistake(mistakes: Mistakes, text: str, words: str) -> None:
    assert [each for each in mistakes(text) if words in each]


def test_what_is_in_the_way_is_a_warning(loading: Loading, installed: list[str]) -> None:
    installed.clear()
    (warning,) = loading(f"names: {{}}\n{WEB}").warnings
    assert "there is no Caddy, which answers for the names; install it: `apt install caddy`, or `" in warning
    installed.append("caddy")
    (warning,) = loading("names: {}\nservices: {web: {command: x}}").warnings
    assert "no service has a `pool`" in warning
    (warning,) = loading(f"names: 80\n{WEB}").warnings
    assert "may need root" in warning


def test_a_reload_tells_of_it(loading: Loading) -> None:
    before, after = loading(f"names: 1355\n{WEB}"), loading(f"names: 1356\n{WEB}")
    assert difference(before, after).top == ("names",)
