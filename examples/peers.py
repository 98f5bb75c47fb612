"""Where the other services of the stack are just now. Their ports are never written down: portsup tells them."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Peer:
    """One service of the stack, as portsup published it."""

    name: str
    port: int
    url: str
    pool: tuple[int, ...] = ()


class Peers:
    """Finds peers by name.

    The file that `PORTSUP_ENDPOINTS` names is rewritten whenever a service moves to another port, so a look at its
    time stamp is enough to follow them without being restarted. The variables `PORTSUP_<NAME>_URL` are what was true
    when this process started; they serve when there is no such file. `<NAME>_URL`, where set, wins: that is how to
    point a service at a peer which portsup does not run.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._path = environ.get("PORTSUP_ENDPOINTS", "")
        self._seen: tuple[int, int, int] | None = None
        self._endpoints: dict[str, Peer] = {}

    def url(self, name: str) -> str | None:
        """The address of a peer without a slash at the end, or None when it is not known."""
        key = name.upper().replace("-", "_")
        url = self._environ.get(f"{key}_URL", "").strip()
        if not url:
            peer = self.all().get(name)
            url = peer.url if peer else ""
        return url.rstrip("/") or None

    def all(self) -> Mapping[str, Peer]:
        """Every service of the stack by name."""
        self._refresh()
        return self._endpoints or self._from_environment()

    @property
    def file(self) -> str:
        """The path of the endpoints file; empty outside portsup."""
        return self._path

    def token(self, name: str) -> str:
        """What to show to a peer, where it asks for something."""
        key = name.upper().replace("-", "_")
        return self._environ.get(f"{key}_TOKEN", "").strip() or self._environ.get("PORTSUP_EXAMPLE_TOKEN", "").strip()

    def headers(self, name: str) -> dict[str, str]:
        """What a request to a peer has to carry."""
        token = self.token(name)
        return {"authorization": f"Bearer {token}"} if token else {}

    def _refresh(self) -> None:
        if not self._path:
            return
        try:
            status = os.stat(self._path)
            seen = (status.st_ino, status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                with open(self._path, encoding="utf-8") as file:
                    self._endpoints = _parse(json.load(file))
                self._seen = seen
        except (OSError, ValueError):
            return  # keep what was read last

    def _from_environment(self) -> dict[str, Peer]:
        found = {}
        for key, url in self._environ.items():
            if key.startswith("PORTSUP_") and key.endswith("_URL") and url:
                name = key.removeprefix("PORTSUP_").removesuffix("_URL").lower().replace("_", "-")
                port = url.rpartition(":")[2].partition("/")[0]
                found[name] = Peer(name, int(port) if port.isdecimal() else 0, url.rstrip("/"))
        return found


def _parse(document: Any) -> dict[str, Peer]:
    if not isinstance(document, dict) or not isinstance(document.get("services"), dict):
        raise ValueError("not an endpoints file")
    peers = {}
    for name, entry in document["services"].items():
        if isinstance(entry, dict) and isinstance(entry.get("url"), str) and isinstance(entry.get("port"), int):
            pool = tuple(port for port in entry.get("pool") or () if isinstance(port, int))
            peers[name] = Peer(name, entry["port"], entry["url"].rstrip("/"), pool)
    return peers
