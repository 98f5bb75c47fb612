"""What tests drive and a developer's machine may lack."""

import os
import re
import shutil
from collections.abc import Iterable

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


def summary(reasons: Iterable[str]) -> str | None:
    """One line about all tests that were skipped for want of something, by why each was skipped; None without any."""
    missing = [found[1] for reason in reasons if (found := re.search(r"(`[^`]+`|\S+) is missing: ", reason))]
    if not missing:
        return None
    programs = sorted(set(missing))
    lack = f"{', '.join(programs)} {'is' if len(programs) == 1 else 'are'} missing"
    count = "1 test was" if len(missing) == 1 else f"{len(missing)} tests were"
    return f"{count} skipped because {lack}: `make test-deps`, as root, installs what Debian has of it"
