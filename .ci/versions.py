"""Prints pip constraints: the versions of uv.lock (`locked`), or the base dependencies' lower bounds (`lowest`)."""

import re
import sys
import tomllib
from pathlib import Path


def locked() -> list[str]:
    """Every version in uv.lock, the project itself left out; one a line for each Python where they differ."""
    packages = tomllib.loads(Path("uv.lock").read_text())["package"]
    return [
        f"{package['name']}=={package['version']}" + (f" ; {marker}" if marker else "")
        for package in packages
        if "registry" in package["source"]
        for marker in package.get("resolution-markers", [""])
    ]


def lowest() -> list[str]:
    """Each lower bound as the one version allowed."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    bounds = [re.match(r"([\w.-]+)>=([\w.]+)", requirement) for requirement in project["dependencies"]]
    return [f"{bound[1]}=={bound[2]}" for bound in bounds if bound]


if __name__ == "__main__":
    print("\n".join(locked() if sys.argv[1:] == ["locked"] else lowest()))
