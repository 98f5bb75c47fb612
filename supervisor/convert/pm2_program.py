"""What a configuration of pm2 that is a program comes to, once node has run it: with paths as a person writes them."""

import os.path
from typing import Any

MARK = "\x1eportsup:"  # before the JSON, after whatever the program prints itself
# Run by node: any module that exports the apps, CommonJS or ES, and TypeScript where this node reads it.
READER = f"""
const {{ pathToFileURL }} = await import("node:url");
const found = await import(pathToFileURL(process.argv[1]).href);
const told = found.default ?? found;
process.stdout.write({MARK!r} + JSON.stringify(told.default ?? told), () => process.exit(0));
"""


def portable(data: Any, root: str) -> Any:
    """The apps with `cwd` and `script` relative to `root` where they lie in it: `__dirname` made absolute ones."""
    apps = data.get("apps", data.get("pm2")) if isinstance(data, dict) else data
    for app in apps if isinstance(apps, list) else [apps]:
        given = app if isinstance(app, dict) else {}
        folder = os.path.join(root, str(given.get("cwd") or ""))
        if "cwd" in given and _is_in(folder, root):
            given["cwd"] = os.path.relpath(folder, root)
        for key in ("script", "env_file", "interpreter"):
            path = given.get(key)
            if isinstance(path, str) and os.path.isabs(path) and _is_in(path, root):
                found = os.path.relpath(path, folder)
                given[key] = found if found.startswith("..") else f"./{found}"
    return data


def _is_in(path: str, root: str) -> bool:
    return os.path.commonpath([os.path.normpath(path), os.path.normpath(root)]) == os.path.normpath(root)
