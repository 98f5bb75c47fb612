"""`${VAR}` and its relatives, as the file has them."""

import pytest

from supervisor.config.interpolate import LONGEST, BadReference, Filler

from .conftest import Loading, Mistakes

VARIABLES = {"A": "one", "EMPTY": "", "PORTS": "6000-6002", "N": "5"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("${A}", "one"),
        ("<${A}${A}>", "<oneone>"),
        ("${EMPTY}", ""),
        ("${NONE:-two}", "two"),
        ("${EMPTY:-two}", "two"),
        ("${EMPTY-two}", ""),
        ("${NONE-two}", "two"),
        ("${A:-two}", "one"),
        ("${NONE:-}", ""),
        ("${A:?needed}", "one"),
        ("${EMPTY?needed}", ""),
        ("${A:+yes}${NONE:+no}${EMPTY:+no}${EMPTY+yes}", "yesyes"),
        ("${NONE:-a ${A} and ${NOTHING:-more}}!", "a one and more!"),
        ("${A:-${NOT_EVEN_LOOKED_AT}}", "one"),
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("$$${A}", "$one"),
        ("$A $1 $ { } {port} ${A}}", "$A $1 $ { } {port} one}"),
        ("${NONE:-{\\}}", "{\\}"),
        ("${NONE:-http://h:{port}}/", "http://h:{port}/"),
        ("${A:-http://h:{port}}/", "one/"),
        ("${A:-{port:db}}", "one"),
        ("${A:-{{port}}}${NONE:-{{port}}}", "one{{port}}"),
        ("{port} {{port}} {port:db}", "{port} {{port}} {port:db}"),
    ],
)
def test_references_are_filled_in(text: str, filled: str) -> None:
    assert Filler(VARIABLES.get).fill(text) == filled


@pytest.mark.parametrize(
    ("text", "offset", "reason"),
    [
        ("ab ${NONE}", 3, "`${NONE}`: the variable is not set"),
        ("${NONE:?set it first}", 0, "`${NONE}`: the variable is not set: set it first"),
        ("${EMPTY:?}", 0, "`${EMPTY}`: the variable is not set"),
        ("${A:-x}${NONE:-${B}}", 15, "`${B}`: the variable is not set"),
        ("a ${}", 2, "`${` without the name of a variable"),
        ("${1}", 0, "`${` without the name of a variable"),
        ("${A", 3, "`${` without its `}`"),
        ("${A:-${A}", 9, "`${` without its `}`"),
        ("${A%.*}", 0, "`${A%` is no form portsup knows"),
        ("${A:0:3}", 0, "`${A:` is no form portsup knows"),
        ("${A:-" * 9, 40, "`${…}` with defaults more than 8 levels deep"),
    ],
)
def test_a_reference_that_leads_nowhere_is_told_with_its_offset(text: str, offset: int, reason: str) -> None:
    with pytest.raises(BadReference) as caught:
        Filler(VARIABLES.get).fill(text)
    assert (caught.value.offset, caught.value.reason) == (offset, reason)


@pytest.mark.parametrize(
    ("text", "hints"),
    [
        ("${{ secrets.TOKEN }}", ["write `${TOKEN}`; for the characters themselves write `$${`"]),
        ("${{port}}", ["write `{port}`; for the characters themselves write `$${`"]),
        ("${env:NONE}", ["write `${NONE}`; for the characters themselves write `$${`"]),
        ("${port}", ["write `{port}` for the port that portsup gives a service; any other: set it in `.env`"]),
    ],
)
def test_a_reference_in_the_form_of_another_program_says_what_is_meant(text: str, hints: list[str]) -> None:
    with pytest.raises(BadReference) as caught:
        Filler(VARIABLES.get).fill(text)
    assert [caught.value.hint, *(each.hint for each in caught.value.others)] == hints


def test_all_that_cannot_be_filled_in_is_told_at_once_and_each_name_once(mistakes: Mistakes) -> None:
    text = 'services: {a: {command: "a ${ONE} ${TWO:-${THREE}} ${A} ${ONE} ${env:FOUR}"}}'
    assert [problem.partition(" (")[0] for problem in mistakes(text, VARIABLES)] == [
        "1:28 `${ONE}`: the variable is not set",
        "1:42 `${THREE}`: the variable is not set",
        "1:64 `${env:FOUR}` is no form portsup knows",
    ]


def test_a_value_that_grows_without_end_is_refused() -> None:
    with pytest.raises(BadReference, match="longer than"):
        Filler({"A": "x" * 1000}.get).fill("${A}" * (LONGEST // 1000 + 1))


def test_a_variable_stands_where_a_number_or_a_list_of_ports_does(loading: Loading) -> None:
    text = 'services: {a: {command: a, pool: "${PORTS}", rotate_after: "${N}", stop_grace_period: "${N}s"}}'
    service = loading(text, VARIABLES).services["a"]
    assert (service.pool, service.rotate_after, service.stop_grace_period) == ((6000, 6001, 6002), 5, 5.0)


@pytest.mark.parametrize("written", ['"${NONE:-}"', "${NONE:-}", '"${EMPTY}"', "${EMPTY}"])
def test_an_empty_variable_is_an_empty_text_and_not_nothing(loading: Loading, written: str) -> None:
    loaded = loading(f"services:\n  a:\n    command: a\n    environment:\n      EMPTY: {written}\n", VARIABLES)
    assert loaded.services["a"].environment == {"EMPTY": ""}
    assert loaded.warnings == ()


def test_a_variable_makes_text_of_a_number_and_a_flag_of_text(loading: Loading) -> None:
    text = "ports: {strict: '${YES}'}\nservices:\n  a: {command: a, description: '${N}'}"
    loaded = loading(text, {"YES": "true", "N": "5"})
    assert (loaded.strict_ports, loaded.services["a"].description) == (True, "5")


def test_keys_comments_and_unused_anchors_are_left_alone(loading: Loading) -> None:
    text = "# ${NONE}\nx-a: ${NONE}\nservices: {a: {command: 'a $$HOME'}}\n"
    assert loading(text).services["a"].command == ("a", "$HOME")


def test_an_unset_variable_is_told_with_its_place(mistakes: Mistakes) -> None:
    hint = "set it in the environment or in `.env`, or give a default"
    assert mistakes("services:\n  a:\n    command: [run, \"--x=${X}\", 'y${Y}']\n") == [
        f"3:25 `${{X}}`: the variable is not set ({hint}: `${{X:-default}}`)",
        f"3:34 `${{Y}}`: the variable is not set ({hint}: `${{Y:-default}}`)",
    ]


def test_an_anchor_with_an_unset_variable_is_told_once(mistakes: Mistakes) -> None:
    text = "x-a: &a {description: 'a ${X}'}\nservices: {a: {<<: *a, command: a}, b: {<<: *a, command: b}}\n"
    assert len(mistakes(text)) == 1


def test_a_variable_in_an_anchor_used_everywhere_can_not_blow_up(mistakes: Mistakes) -> None:
    text = "x-a: &a ['${A}']\nservices:\n" + "".join(f"  s{n}: {{command: *a}}\n" for n in range(900))
    assert mistakes(text, {"A": "x" * 100_000}) == ["1:6 variables make the file longer than 1048576 characters"]
