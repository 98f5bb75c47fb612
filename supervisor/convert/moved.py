"""Services of a file in one directory for a services.yaml in another: paths that are relative to services.yaml."""

import posixpath

from supervisor.config import interpolate, placeholders
from supervisor.convert.draft import Draft, Filled, Outcome


def move(outcome: Outcome, folder: str) -> None:
    """Write the paths for a services.yaml from which `folder`, where they begin, is reached by that path.

    What a service names in its command stays as it is: it is relative to where the service runs.
    """
    if folder in ("", "."):
        return
    for draft in (*outcome.services, *outcome.absent):
        _move(draft, folder)


def _move(draft: Draft, folder: str) -> None:
    draft.fields["working_dir"] = _below(folder, draft.fields.get("working_dir") or ".")
    for file in draft.fields.get("env_file", ()):
        file["path"] = _below(folder, file["path"])


def _below(folder: str, path: str) -> str:
    if path.startswith(("/", "~", "$")):
        return path
    if isinstance(path, Filled):
        return Filled(posixpath.join(placeholders.literally(interpolate.literally(folder)), path))
    return posixpath.normpath(posixpath.join(folder, path))
