"""What `up` says before it starts anything."""

import errno

import pytest

from supervisor.words.starting import number_not_kept


@pytest.mark.parametrize(
    ("number", "is_in_the_way", "hint"),
    [
        (errno.ENOSPC, False, "make room there"),
        (errno.EACCES, False, "give yourself write permission"),
        (errno.ELOOP, True, "remove what is there"),
        (errno.ENOLCK, False, "name another directory in PORTSUP_STATE_DIR"),
        (None, False, "name another directory in PORTSUP_STATE_DIR"),
    ],
)
def test_a_number_that_cannot_be_kept_is_told_with_what_helps(
    number: int | None, is_in_the_way: bool, hint: str
) -> None:
    told = number_not_kept("/s/folders.json", "", "why", number, is_in_the_way)
    assert told == f"cannot remember the number of this directory: cannot write `/s/folders.json`: why; {hint}"
