"""Brings the libraries of the page into the repository: `python .ci/vendor.py`, after a version below was changed.

Each package comes from npm and must have the hash that stands here.  What is taken of it, with the hash of each
file and the licence, is written to vendored.json beside the files; a test compares both.
"""

import base64
import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

PLACE = Path(__file__).parents[1] / "supervisor/web/pages/vendor"
# Where a file imports another package by its name, which a browser does not find without an import map.
BARE = (b'"preact"', b'"./preact.mjs"')
PACKAGES: dict[str, dict[str, Any]] = {
    "preact@11.2.0": {
        "integrity": "sha512-/HfHI/7N84e6GrWBJ3J280z3mLaRJiDcSvj/A+y/4AbLnND/1UlGHe1sR6oYuTGwId0nP7dqDU9OnLxMPZ7xBg==",
        "files": {"dist/preact.mjs": "preact.mjs", "hooks/dist/hooks.mjs": "hooks.mjs", "LICENSE": "preact.LICENSE"},
    },
    "htm@3.1.1": {
        "integrity": "sha512-983Vyg8NwUE7JkZ6NmOqpCZ+sh1bKv2iYTlUkzlWmA5JD2acKoxd4KVxbMmxX/85mtfdnDmTFoNKcg5DGAvxNQ==",
        "files": {"dist/htm.module.js": "htm.mjs", "LICENSE": "htm.LICENSE"},
    },
    "uplot@1.6.32": {
        "integrity": "sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==",
        "files": {"dist/uPlot.esm.js": "uplot.mjs", "dist/uPlot.min.css": "uplot.css", "LICENSE": "uplot.LICENSE"},
    },
}  # fmt: skip


def main() -> None:
    PLACE.mkdir(parents=True, exist_ok=True)
    told = {}
    for package, wanted in PACKAGES.items():
        archive = fetched(package)
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode()
        if integrity != wanted["integrity"]:
            raise SystemExit(f"error: cannot use {package}: its hash is {integrity}, not {wanted['integrity']}")
        told[package] = taken(archive, wanted) | {"integrity": integrity}
    (PLACE / "vendored.json").write_text(json.dumps(told, indent=2) + "\n")


def fetched(package: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        packed = ["npm", "pack", "--silent", package]
        ran = subprocess.run(packed, cwd=folder, check=True, capture_output=True, text=True)
        return (Path(folder) / ran.stdout.strip().splitlines()[-1]).read_bytes()


def taken(archive: bytes, wanted: dict[str, Any]) -> dict[str, Any]:
    """Writes the files that are wanted; gives what is told of them."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as package:
        licence = json.loads(read(package, "package.json"))["license"]
        files = {}
        for source, name in wanted["files"].items():
            data = read(package, source).replace(*BARE)
            # Maps of the source are not taken, and a browser would ask for them.
            lines = [line for line in data.splitlines(keepends=True) if not line.startswith(b"//# sourceMappingURL")]
            data = b"".join(lines)
            (PLACE / name).write_bytes(data)
            files[name] = hashlib.sha256(data).hexdigest()
    return {"license": licence, "files": files}


def read(package: tarfile.TarFile, name: str) -> bytes:
    file = package.extractfile(f"package/{name}")
    assert file is not None, name
    return file.read()


if __name__ == "__main__":
    main()
