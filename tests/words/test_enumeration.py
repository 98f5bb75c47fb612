from supervisor.words.enumeration import some_of


def test_a_few_ports_are_all_named_and_many_are_counted() -> None:
    assert some_of([]) == ""
    assert some_of({3, 1, 2}) == "1, 2, 3"
    assert some_of(range(10, 15)) == "10, 11, 12, 13, 14"
    assert some_of(range(10, 910)) == some_of(range(10, 30), 880) == "10, 11, 12 and 897 others"
