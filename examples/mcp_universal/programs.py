"""Which programs the tools may run in the sandbox, and how they are called there."""

import os
import re
import shutil
import sys
from collections.abc import Sequence

from examples.mcp_universal.box import PATH
from examples.mcp_universal.sandbox import Outcome, Sandbox, Told
from examples.service import SettingError
from examples.web import ServiceError

_LANGUAGES = {"python": ("python3", "main.py"), "javascript": ("node", "main.js"), "bash": ("bash", "main.sh")}


def allowed_commands(text: str) -> tuple[str, ...]:
    """The names in `MCP_COMMANDS`, separated by commas or spaces; a path would name a program outside the sandbox."""
    names = tuple(name for name in re.split(r"[\s,]+", text) if name)
    for name in names:
        if "/" in name:
            raise SettingError(f"`MCP_COMMANDS` must name programs without a path, not `{name}`")
    return names


class Programs:
    """Runs code, and those commands that are allowed."""

    def __init__(self, sandbox: Sandbox, allowed: Sequence[str]) -> None:
        self.sandbox = sandbox
        self._allowed = frozenset(allowed)

    async def run_code(self, language: str, code: str, seconds: float, told: Told | None = None) -> Outcome:
        """Runs a text in one of the three languages; a ServiceError when its interpreter is not there."""
        program, file = _LANGUAGES[language]
        if language == "python":
            program = os.path.realpath(sys.executable)  # the sandbox has it wherever it is installed
        elif shutil.which(program, path=PATH) is None:
            raise ServiceError("language_unavailable", f"`{program}` is not installed in {PATH}")
        files = {f"/code/{file}": code.encode("utf-8", "replace")}
        return await self.sandbox.run([program, f"/code/{file}"], seconds=seconds, files=files, told=told)

    async def run_command(self, argv: Sequence[str], seconds: float, told: Told | None = None) -> Outcome:
        """Runs a command as it stands, no shell reads it; a ServiceError when it is not one of the allowed."""
        if argv[0] not in self._allowed:
            names = ", ".join(sorted(self._allowed)) or "none"
            raise ServiceError("command_not_allowed", f"`{argv[0]}` is not in MCP_COMMANDS; allowed: {names}", 403)
        if any("\0" in argument for argument in argv):
            raise ServiceError("bad_request", "an argument cannot contain a NUL character", 422)
        if shutil.which(argv[0], path=PATH) is None:
            raise ServiceError("command_not_found", f"`{argv[0]}` is not installed in {PATH}", 404)
        return await self.sandbox.run(argv, seconds=seconds, told=told)
