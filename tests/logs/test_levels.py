import pytest

from supervisor.logs.levels import NAMES, Level, level_of, may_be, named


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("INFO:     Application startup complete.", Level.INFO),  # uvicorn
        ("ERROR:root:it broke", Level.ERROR),  # logging of Python
        ("2026-03-01 09:30:00,250 - shop - WARNING - slow", Level.WARNING),
        ("2026-03-01T09:30:00Z  WARN shop::db: slow", Level.WARNING),  # tracing of Rust
        ("2026/03/01 09:30:00 [error] 123#0: *1 connect() failed", Level.ERROR),  # nginx
        ("[Sun Mar 01 09:30:00 2026] [core:notice] [pid 7] AH00094", Level.INFO),  # apache
        ('{"level":"debug","msg":"an ERROR that was mended"}', Level.DEBUG),
        ('{"level":50,"time":1,"msg":"it broke"}', Level.ERROR),  # pino
        ('{"@timestamp":"x","log.level": "fatal"}', Level.CRITICAL),  # ECS
        ('{"severity":"WARNING","message":"slow"}', Level.WARNING),  # Google Cloud
        ("ts=2026-03-01T09:30:00Z level=error msg=broke", Level.ERROR),  # logfmt
        ("E0301 09:30:00.250000    7 main.go:9] broke", Level.ERROR),  # klog
        ("npm ERR! missing script: dev", Level.ERROR),
        ("error: cannot open `x`", Level.ERROR),
        ("main.c:7:1: warning: unused variable", Level.WARNING),
        ("2026-03-01 09:30:00.250 UTC [7] FATAL:  role does not exist", Level.CRITICAL),  # PostgreSQL
        ("Traceback (most recent call last):", Level.ERROR),
        ("panic: runtime error: index out of range", Level.CRITICAL),
        ("TypeError: x is not a function", Level.ERROR),
        ("listening on port 8000", None),
        ("no error was found in information.txt", None),
        ("GET /error 200", None),
        ("  File \"x.py\", line 3, in main", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_line_says_how_bad_it_is(line: str, level: Level | None) -> None:
    assert level_of(line) == level
    assert all(may_be(line, least) for least in Level if level is not None and least <= level)


def test_every_level_is_known_by_its_name() -> None:
    assert [named(name) for name in NAMES] == sorted(Level)
    assert named("Warn") == Level.WARNING
    assert named("loud") is None
    assert named("55") is None
