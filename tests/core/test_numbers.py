"""Which instance number a folder gets."""

from itertools import islice

from supervisor.core.instance import Remembered, numbers_for, remembering


def had(folder: str, number: int, used: float = 0.0, *, exists: bool = True) -> Remembered:
    return Remembered("shop", folder, number, used, exists)


def order(folder: str, *remembered: Remembered, fitting: int = 4) -> list[int]:
    return list(numbers_for(folder, remembered, fitting))


def test_the_first_folder_is_the_first_instance() -> None:
    assert order("/a") == [1, 2, 3, 4]


def test_a_folder_gets_its_own_number_then_the_lowest_that_nobody_had() -> None:
    assert order("/b", had("/a", 1), had("/b", 3)) == [3, 2, 4, 1]


def test_a_new_folder_leaves_the_numbers_of_others_alone() -> None:
    assert order("/c", had("/a", 1), had("/b", 2)) == [3, 4, 1, 2]


def test_the_number_of_a_folder_that_is_gone_is_free() -> None:
    assert order("/c", had("/a", 1, exists=False), had("/b", 2)) == [1, 3, 4, 2]


def test_when_all_are_somebodys_the_one_that_was_unused_for_longest_goes() -> None:
    known = [had("/a", 1, 40.0), had("/b", 2, 10.0), had("/c", 3, 30.0), had("/d", 4, 20.0)]
    assert order("/e", *known) == [2, 4, 3, 1]
    assert order("/c", *known) == [3, 2, 4, 1]


def test_a_number_that_does_not_fit_any_more_is_not_tried() -> None:
    assert order("/a", had("/a", 9), had("/b", 8), fitting=2) == [1, 2]
    assert list(islice(numbers_for("/a", (), 10**9), 2)) == [1, 2], "without counting them all"


def test_a_folder_has_one_number_and_a_number_one_folder() -> None:
    other_stack = Remembered("other", "/b", 1, 0.0)
    known = [had("/a", 1), had("/b", 2), had("/c", 3), other_stack]
    assert remembering(known, had("/b", 1, 9.0)) == [had("/c", 3), other_stack, had("/b", 1, 9.0)]
