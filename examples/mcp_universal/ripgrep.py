"""Searching with ripgrep, where it is installed: in the sandbox, which has nothing of the host but the workspace.

Outside of it, a folder that code turns into a link in the middle of a search would lead ripgrep out of the workspace.
"""

import re
import shutil

from examples.mcp_universal.box import PATH
from examples.mcp_universal.sandbox import Sandbox
from examples.mcp_universal.workspace import MOST_READ, Match, Refusal
from examples.web import ServiceError

SECONDS = 10.0
_LINE = re.compile(r"^([^\0\n]*)\0(\d+):(.*)$", re.MULTILINE)


def is_installed() -> bool:
    return shutil.which("rg", path=PATH) is not None


async def search(
    sandbox: Sandbox, text: str, glob: str, limit: int, *, regex: bool, any_case: bool
) -> tuple[list[Match], bool]:
    """Lines that match, in order of path, and whether there may be more.

    Raises a ServiceError where the sandbox cannot be used now, and a Refusal for an expression that cannot be.
    """
    command = ["rg", "--null", "--line-number", "--no-heading", "--with-filename", "--color=never", "--sort=path"]
    # All files, as without it; but none that are binary or too large for one call.
    command += ["--no-config", "--hidden", "--no-ignore", f"--max-filesize={MOST_READ}", f"--max-count={limit + 1}"]
    command += ["--max-columns=300", "--max-columns-preview"]
    command += ["--ignore-case"] if any_case else ["--case-sensitive"]
    command += [] if regex else ["--fixed-strings"]
    # Braces are no alternatives here, and the pattern is about the whole path.
    command += ["--glob", "/" + re.sub(r"([{}])", r"\\\1", glob.strip("/")), "--regexp", text]
    outcome = await sandbox.run(command, seconds=SECONDS)
    if outcome.exit_code == 2 and "regex" in outcome.stderr:
        raise Refusal("bad_request", f"the expression cannot be read: {outcome.stderr.strip()[-500:]}")
    if outcome.exit_code not in (0, 1, 2, None):
        raise ServiceError("search_failed", f"ripgrep ended with {outcome.exit_code}", 500)
    found = [
        Match(path.removeprefix("./"), int(line), words.strip()[:300])
        for path, line, words in _LINE.findall(outcome.stdout)
    ]
    return found[:limit], len(found) > limit or outcome.truncated or outcome.exit_code is None
