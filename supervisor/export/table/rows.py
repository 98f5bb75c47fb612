"""The whole table."""

from supervisor.export.table import ending, program, start

ROWS = (*program.ROWS, *start.ROWS, *ending.ROWS)
KNOWN = {key: row for row in ROWS for key in row.keys}
