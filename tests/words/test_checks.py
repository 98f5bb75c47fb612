"""What a check saw of a service, in words."""

import pytest

from supervisor.words.checks import megabytes


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 MB"), (512, "0.5 KB"), (1024, "1 KB"), (200 * 1024, "200 KB"),
        (1024**2, "1 MB"), (1536 * 1024, "1.5 MB"), (2 * 1024**3, "2 GB"),
    ],
)  # fmt: skip
def test_a_size_is_told_in_the_unit_in_which_there_is_something_of_it(size: int, words: str) -> None:
    assert megabytes(size) == words
