"""The whole table."""

from supervisor.export.table import ending, idle, program, start

ROWS = (*program.ROWS, *start.ROWS, *idle.ROWS, *ending.ROWS)
