"""What tests drive and a developer's machine may lack."""

import os
import shutil

import pytest


def need(there: object, what: str, hint: str) -> None:
    """Skips the test where something is missing; in CI, where everything has to be there, it fails."""
    if not there:
        message = f"{what} is missing: {hint}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


def need_program(name: str, package: str = "") -> str:
    """The path of a program, which is missing otherwise; `package` has it on Debian, if not one of the same name."""
    found = shutil.which(name)
    need(found, f"`{name}`", f"on Debian and Ubuntu: apt install {package or name}")
    assert found is not None
    return found
