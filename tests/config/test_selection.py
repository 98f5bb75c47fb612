"""Profiles and autostart: which services a start is about."""

from pathlib import Path

import pytest

from supervisor.config.selection import active_profiles, check_needs, selected, starts_by_itself
from supervisor.config.spec import Condition, ServiceSpec, StackSpec
from supervisor.errors import UsageError

from .conftest import Loading, Mistakes


def service(name: str, *profiles: str, needs: tuple[str, ...] = (), autostart: bool = True) -> ServiceSpec:
    return ServiceSpec(
        name, ("a",), (), profiles=profiles, autostart=autostart, depends_on=dict.fromkeys(needs, Condition.READY)
    )


def stack(*services: ServiceSpec) -> StackSpec:
    return StackSpec("t", Path("/t/services.yaml"), {each.name: each for each in services})


SHOP = stack(
    service("web"),
    service("db", "dev"),
    service("admin", "debug", needs=("db",)),
    service("tool", "dev", needs=("db",)),
    service("late", autostart=False),
    service("both", "dev", "debug", autostart=False),
)


@pytest.mark.parametrize(
    ("names", "profiles", "found"),
    [
        ((), (), ("web",)),
        ((), ("dev",), ("web", "db", "tool")),
        ((), ("*",), ("web", "db", "admin", "tool")),
        (("late",), (), ("late",)),
        (("tool",), (), ("tool",)),  # its own profile is asked for with it, and so is `db`
        (("admin", "db"), (), ("admin", "db")),
    ],
)
def test_services_without_profiles_always_run_and_others_when_asked_for(
    names: tuple[str, ...], profiles: tuple[str, ...], found: tuple[str, ...]
) -> None:
    assert selected(SHOP, names, profiles) == found


@pytest.mark.parametrize(("names", "profiles"), [(("admin",), ()), ((), ("debug",))])
def test_a_dependency_in_another_profile_is_not_started_behind_ones_back(
    names: tuple[str, ...], profiles: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError) as caught:
        selected(SHOP, names, profiles)
    assert str(caught.value) == "cannot start `admin`: it needs `db`, which is in profile `dev`"
    assert caught.value.hint == "`portsup up --profile dev`, or name `db` as well"


def test_what_runs_already_may_be_needed() -> None:
    check_needs(SHOP, ["admin"], (), at_work=["db"])


def test_a_dependency_that_does_not_start_by_itself_is_started() -> None:
    needy = stack(service("web", needs=("late",)), service("late", autostart=False))
    assert selected(needy, (), ()) == ("web",)
    check_needs(needy, ["web"], ())


def test_nothing_to_start_is_told() -> None:
    with pytest.raises(UsageError, match="each of its services is in a profile"):
        selected(stack(service("a", "dev"), service("b", autostart=False)), (), ())


def test_profiles_come_from_the_command_line_or_else_from_the_variable() -> None:
    told = {"PORTSUP_PROFILES": "dev, elsewhere,"}
    assert active_profiles(SHOP, ["debug"], told) == {"debug"}
    assert active_profiles(SHOP, [], told) == {"dev", "elsewhere"}
    assert active_profiles(SHOP, [], {}) == frozenset()
    with pytest.raises(UsageError) as caught:
        active_profiles(SHOP, ["debgu"], told)
    assert (str(caught.value), caught.value.hint) == (
        "cannot use profile `debgu`: services.yaml has no service in it",
        "did you mean `debug`?",
    )


def test_the_file_is_read(loading: Loading) -> None:
    services = loading("services: {a: {command: a, profiles: [dev, b]}, c: {command: a, autostart: false}}").services
    assert services["a"].profiles == ("dev", "b")
    assert [starts_by_itself(each, ()) for each in services.values()] == [False, False]
    assert [starts_by_itself(each, ("b",)) for each in services.values()] == [True, False]


def test_mistakes_are_told_where_they_are(mistakes: Mistakes) -> None:
    text = "services:\n  a:\n    command: a\n    profiles: {}\n    autostart: 'no'\n"
    assert mistakes(text.replace("{}", "dev")) == [
        "4:15 services.a.profiles: expected a list of names, found `dev` (write `[dev]`)",
        "5:16 services.a.autostart: `no` is not true or false (write `false`: YAML 1.2 takes `no` for text)",
    ]
    found = mistakes(text.replace("{}", "[dev, 'a b', dev, {}]").replace("'no'", "true"))
    assert [each.partition(":")[0] + ":" + each.split(":")[1].split()[0] for each in found] == ["4:21", "4:28", "4:33"]
    assert "`a b` is not a name" in found[0]
    assert "`dev` is named twice (name it once)" in found[1]
    assert "expected a name, found a mapping" in found[2]
