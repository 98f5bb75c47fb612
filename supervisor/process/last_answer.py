"""What is worked out once for a value that many ask about in a row, such as the variables that all services get."""

from collections.abc import Callable

from supervisor.annotations import TypeVar

Value = TypeVar("Value")
Answer = TypeVar("Answer")


def kept_for_the_last(work_out: Callable[[Value], Answer]) -> Callable[[Value], Answer]:
    """The same function, which keeps its answer for the last value; that one must not be changed."""
    kept: list[tuple[Value, Answer]] = []

    def answer(value: Value) -> Answer:
        if not kept or kept[0][0] is not value:
            kept[:] = [(value, work_out(value))]
        return kept[0][1]

    return answer
