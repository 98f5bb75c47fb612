"""Lets node run a configuration that is a program, where `init --evaluate` asks for it."""

import json
import os
import re
import subprocess
from pathlib import Path

from supervisor.convert.pm2_program import MARK, READER, portable
from supervisor.errors import PortsupError, UsageError

ENDINGS = (".js", ".cjs", ".mjs", ".ts", ".cts", ".mts")
_SECONDS = 30.0
_LARGEST = 1024 * 1024  # characters that it may come to
# Ways to read TypeScript: that of newer versions, that of Node 22.6, and a loader that the project has installed.
_WAYS: tuple[list[str], ...] = ([], ["--experimental-strip-types"], ["--import", "tsx"])


def evaluated(path: Path, here: Path) -> str:
    """What the program exports, as JSON, with paths in `here` relative to it.

    Raises PortsupError where node is not there, or cannot run it.
    """
    if path.suffix not in ENDINGS:
        hint = "leave `--evaluate` out"
        why = f"it is no program: its name ends in none of {', '.join(ENDINGS)}"
        raise UsageError(f"cannot evaluate `{path.name}`", why, hint)
    what, whys = f"cannot evaluate `{path.name}`", []
    for options in _WAYS if path.suffix.endswith("ts") else _WAYS[:1]:
        result = _run(what, path, options)
        if result.returncode == 0 and MARK in result.stdout:
            return _as_json(what, here, result.stdout.rpartition(MARK)[2])
        whys.append(_why(result))
    hint = "try it: `node FILE` shows more"
    if path.suffix.endswith("ts"):
        hint = "Node 22.18 and later read TypeScript; or install `tsx` next to the file"
    raise PortsupError(what, whys[0], hint)


def _run(what: str, path: Path, options: list[str]) -> "subprocess.CompletedProcess[str]":
    command = ["node", *options, "--input-type=module", "-e", READER, "--", os.path.abspath(path)]
    try:
        return subprocess.run(
            command, cwd=path.absolute().parent, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", timeout=_SECONDS, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        hint = "install Node.js, or make JSON of the file where it is installed"
        raise PortsupError(what, "there is no `node` here to run it", hint) from error
    except subprocess.TimeoutExpired as error:
        raise PortsupError(what, f"it does not end within {_SECONDS:g}s", "see what it waits for") from error
    except OSError as error:
        raise PortsupError(what, f"`node` cannot be run: {error.strerror}", "check the installation of node") from error


def _why(result: "subprocess.CompletedProcess[str]") -> str:
    lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"\w*Error\b", line)]
    return (named or lines or [f"node ends with {result.returncode} before the file has exported anything"])[0][:300]


def _as_json(what: str, here: Path, text: str) -> str:
    try:
        data = json.loads(text[:_LARGEST])
    except ValueError as error:
        raise PortsupError(what, "it exports nothing that JSON can hold", "export an object with `apps`") from error
    if not isinstance(data, dict | list):
        raise PortsupError(what, "it exports no object", "export an object with `apps`")
    return json.dumps(portable(data, os.fspath(here.absolute())))
