"""The file that tells developers about a mistake in portsup itself; imported only when there was one."""

import os
import platform
import shlex
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence

from supervisor.errors import PortsupError
from supervisor.files.directory import make
from supervisor.files.replacement import write
from supervisor.logs.state_dir import check_state, state_directory


def write_report(error: BaseException, arguments: Sequence[str]) -> str | None:
    """Write what is known about `error`, without secrets, for its owner only; the path, None where nothing works."""
    text = redacted(_report(error, arguments))
    name = f"portsup-report-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for find in (_reports, tempfile.gettempdir):  # each may find none
        try:
            path = os.path.join(find(), name)
            write(path, text.encode(errors="backslashreplace"), mode=0o600)
        except (OSError, PortsupError):
            continue
        return path
    return None


def _reports() -> str:
    """The directory for them, made; raises OSError, or PortsupError where others could put things there."""
    check_state()
    directory = os.path.join(state_directory(), "reports")
    make(directory)
    return directory


def _report(error: BaseException, arguments: Sequence[str]) -> str:
    from supervisor.cli.version import version

    facts = {
        "portsup": version(),
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": f"{platform.release()} {platform.machine()} {platform.version()}",
        "command": shlex.join(["portsup", *arguments]),
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
    head = (f"{name} {fact}" for name, fact in facts.items())
    return "\n".join((*head, "", "".join(traceback.format_exception(error))))


def redacted(text: str) -> str:
    """`text` without the secrets of our environment."""
    from supervisor.config.secret_names import redact
    from supervisor.config.secrets import hunted, in_environment, secret_values

    secrets = (secret for name, value in os.environ.items() for secret in secret_values(name, value))
    return redact(text, hunted(secrets, in_environment(os.environ)))
