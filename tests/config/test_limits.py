"""`user`, `group`, `umask`, `limits` and `memory_limit`: what is read, and what is wrong."""

import pytest

from supervisor.config.difference import difference

from .conftest import Loading, Mistakes


def test_they_are_read_in_the_units_of_the_system(loading: Loading) -> None:
    text = (
        "services: {a: {command: a, user: 1000, group: staff, umask: 027, memory_limit: 500MB,"
        " limits: {nofile: 64, cpu_time: 1.5s, address_space: 1GB}}}"
    )
    (a,) = loading(text).services.values()
    assert (a.user, a.group, a.umask, a.memory_limit) == ("1000", "staff", 0o027, 500 * 2**20)
    assert a.limits == {"nofile": 64, "cpu_time": 2, "address_space": 2**30}


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("umask: 22", "`22` does not fit: three octal digits, such as 022"),
        ("umask: '089'", "`089` does not fit: three octal digits, such as 022"),
        ("user: 'a b'", "`a b` does not fit: a user name, or a number"),
        ("limits: {nofiles: 64}", "unknown key `nofiles` (did you mean `nofile`?)"),
        ("limits: {nofile: 3}", "`3` is too small: at least 16"),
        ("memory_limit: 3KB", "`3KB` is too small: at least 1048576 bytes"),
        ("memory_limit: lots", "`lots` is not a size"),
    ],
)
def test_mistakes_are_told(mistakes: Mistakes, key: str, problem: str) -> None:
    (found,) = mistakes(f"services:\n  a:\n    command: a\n    {key}\n")
    assert found.startswith("4:")
    assert problem in found


def test_only_the_memory_limit_takes_effect_without_a_restart(loading: Loading) -> None:
    text = "services: {a: {command: a, memory_limit: 500MB, user: bob, limits: {nofile: 64}}}"
    old = loading(text)
    (live,) = difference(old, loading(text.replace("500", "600"))).changed
    assert (live.keys, live.restarts) == (("memory_limit",), False)
    (other,) = difference(old, loading(text.replace("bob", "eve").replace("64", "65"))).changed
    assert (other.keys, other.restarts) == (("user", "limits"), True)
