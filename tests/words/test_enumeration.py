from supervisor.words.enumeration import counted, first_of, some_of


def test_a_few_ports_are_all_named_and_many_are_counted() -> None:
    assert some_of([]) == ""
    assert some_of({3, 1, 2}) == "1, 2, 3"
    assert some_of(range(10, 15)) == "10, 11, 12, 13, 14"
    assert some_of(range(10, 910)) == some_of(range(10, 30), 880) == "10, 11, 12 and 897 others"


def test_names_come_in_their_order_and_of_many_the_first_ones() -> None:
    assert first_of(["b", "a"]) == "b, a"
    assert first_of([f"s{number}" for number in range(22)], 20).endswith(", s19 and 2 others")
    assert first_of([]) == ""


def test_one_is_not_counted_as_many() -> None:
    assert (counted(1, "file"), counted(0, "file"), counted(2, "process", "processes")) == (
        "1 file", "0 files", "2 processes",
    )  # fmt: skip
    assert first_of("abc", most=2) == "a, b and 1 other"
