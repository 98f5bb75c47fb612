"""The rows about a service that is stopped because nobody uses it."""

from supervisor.export.table.fates import INSIDE, Row, lost, row

ROWS: tuple[Row, ...] = (
    row(
        "idle_stop idle_min_up idle_when.cpu_below idle_check.exec idle_check.timeout",
        lost("it runs until somebody stops it"),
        INSIDE,
        lost("it runs until somebody stops it"),
        INSIDE,
    ),
)
