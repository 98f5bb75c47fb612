"""The packages of a workspace in which one script of its package.json runs another."""

import json

from supervisor.convert import workspaces
from supervisor.convert.around import Around
from supervisor.convert.package import convert


def test_packages_beyond_the_most_are_named() -> None:
    folders = [f"apps/a{number}" for number in range(workspaces.MOST + 2)]
    files = {f"{each}/package.json": json.dumps({"scripts": {"dev": "node a.js"}}) for each in folders}
    top = {"workspaces": ["apps/*"], "packageManager": "npm@10", "scripts": {"dev": "npm run dev --workspaces"}}
    around = Around(text=lambda path: files.get(path, "{}"), matching=lambda pattern: list(files))
    outcome = convert(json.dumps(top), around)
    assert len(outcome.services) == workspaces.MOST
    (left,) = outcome.left
    assert left.what == f"packages `{folders[-2]}`, `{folders[-1]}`"
    assert left.why == "`dev` runs `dev` of 42 packages, and here are the first 40"
