"""Which commands look as if they end with their standard input."""

import pytest

from supervisor.core.stdin import seems_to_watch


@pytest.mark.parametrize(
    "command",
    [
        "esbuild app.js --bundle --watch",
        "npx esbuild app.js --watch=forever",
        "npx @tailwindcss/cli -i in.css -o out.css --watch",
        "tailwindcss -i in.css -o out.css -w",
        "bin/rails tailwindcss:watch",
        "npm run css-watch",
        "npm run watch",
        "yarn build:watch",
    ],
)
def test_programs_that_watch_files(command: str) -> None:
    assert seems_to_watch(command.split())
    assert seems_to_watch(["sh", "-c", f"cd app && {command}"])


@pytest.mark.parametrize("command", ["gunicorn -w 4 app", "watch date", "python -m watchman", "node watcher.js", "a"])
def test_and_others(command: str) -> None:
    assert not seems_to_watch(command.split())
