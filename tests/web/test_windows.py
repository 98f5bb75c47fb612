"""Which stack a window is about."""

from pathlib import Path

import pytest

from supervisor.api.project import Project
from supervisor.errors import PortsupError
from supervisor.web.windows import Windows


@pytest.mark.parametrize("number", ["x", "", "-1", "9" * 5000], ids=len)
def test_a_number_that_no_instance_can_have_is_told_as_one_that_does_not_run(own_folders: Path, number: str) -> None:
    with pytest.raises(PortsupError, match="no such instance has been running"):
        Windows(Project(own_folders), 1).project(f"shop/{number}")
