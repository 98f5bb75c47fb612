"""What is said of what ended runs have left."""

from supervisor.words import leftovers


def test_what_is_gone_is_counted_as_far_as_there_was_any() -> None:
    assert leftovers.cleaned(0) == "ended runs have left nothing behind"
    assert leftovers.cleaned(1) == "ended runs have left nothing behind; 1 number forgotten"
    assert leftovers.cleaned(2) == "ended runs have left nothing behind; 2 numbers forgotten"
