"""What tests drive and a developer's machine may lack."""

import os

import pytest


def need(there: object, what: str, hint: str) -> None:
    """Skips the test where something is missing; in CI, where everything has to be there, it fails."""
    if not there:
        message = f"{what} is missing: {hint}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
