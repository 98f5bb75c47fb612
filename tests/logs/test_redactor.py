from hypothesis import given
from hypothesis import strategies as st

from supervisor.logs.redactor import Redactor

SECRETS = st.lists(st.text("ab", min_size=4, max_size=9), min_size=1, max_size=4)
FLOWS = st.lists(st.binary(max_size=20) | st.text("ab\n\r", max_size=20).map(str.encode), max_size=12)


def in_pieces(redactor: Redactor, flows: list[bytes]) -> list[bytes]:
    """What comes of a flow that is cut like this."""
    shown, held = [], b""
    for flow in flows:
        part, held = redactor.hide(held + flow, is_whole=False)
        shown.append(part)
    return [*shown, redactor.hide(held, is_whole=True)[0]]


@given(SECRETS, FLOWS)
def test_no_cut_lets_a_secret_through(secrets: list[str], flows: list[bytes]) -> None:
    shown = b"".join(in_pieces(Redactor(secrets), flows))
    assert [secret for secret in secrets if secret.encode() in shown] == []


@given(SECRETS, FLOWS, st.text("ab", max_size=9))
def test_what_is_no_secret_stays_as_it_is(secrets: list[str], flows: list[bytes], around: str) -> None:
    flows = [flow.replace(b"a", b"c") for flow in flows]
    assert b"".join(in_pieces(Redactor([f"x{each}" for each in secrets]), flows)) == b"".join(flows)
    whole = f"{around}\u00e9 \xff".encode("latin-1")
    assert Redactor(["x" + secrets[0]]).hide(whole, is_whole=True) == (whole, b"")


def test_a_line_is_shown_at_once_and_the_end_of_a_piece_waits() -> None:
    redactor = Redactor(["s3cret"])
    assert redactor.hide(b"one s3cret\ntwo\n", is_whole=False) == (b"one ***\ntwo\n", b"")
    assert redactor.hide(b"three s3c", is_whole=False) == (b"thre", b"e s3c")
    assert redactor.hide(b"e s3cret four", is_whole=False) == (b"e ***", b" four")
    assert redactor.hide(b" four", is_whole=True) == (b" four", b"")


def test_the_longest_secret_is_hidden_first() -> None:
    redactor = Redactor(["word", "password"])
    assert redactor.hide(b"word password words\n", is_whole=False)[0] == b"*** *** ***s\n"


def test_a_secret_of_several_lines_is_hidden_line_by_line() -> None:
    redactor = Redactor(["-----BEGIN-----\r\nMIIEabcd\nxyz\n"])
    shown, _ = redactor.hide(b"key: -----BEGIN-----\nMIIEabcd\r\nxyz\n", is_whole=False)
    assert shown == b"key: ***\n***\r\nxyz\n"


def test_bytes_that_are_no_text_are_searched_too() -> None:
    assert Redactor(["p\udcff\u00e9ss"]).hide(b"\xfe p\xff\xc3\xa9ss \x80\n", is_whole=False)[0] == b"\xfe *** \x80\n"
    assert not Redactor(["half\ud800"]), "no program can print that"


def test_secrets_count_from_when_they_are_learned() -> None:
    redactor = Redactor()
    assert not redactor
    assert redactor.hide(b"first, second", is_whole=False) == (b"first, second", b"")
    redactor.learn(["first"])
    redactor.learn(["second"])
    assert redactor
    assert redactor.hide(b"first, second\n", is_whole=False)[0] == b"***, ***\n"
