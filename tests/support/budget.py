"""How much tests that try things at random try: little in `make test`, much in `make test-long`."""

import os

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

LONG = bool(os.environ.get("TEST_LONG"))


def budget(few: int, many: int) -> int:
    """How many."""
    return many if LONG else few


def tries(few: int, many: int) -> settings:
    """So many examples; in `make test` the same ones each time."""
    return settings(
        max_examples=budget(few, many), deadline=None, derandomize=not LONG, database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )  # fmt: skip


# For a test with `@given` alone; tests/conftest.py imports this module before any of them.
settings.register_profile("portsup", tries(10, 2000))
settings.load_profile("portsup")

# Hypothesis would look up the constants of all modules that are imported: for seconds, and others in each worker.
if not LONG:
    setattr(providers, "_get_local_constants", lambda: providers._local_constants)  # noqa: B010
