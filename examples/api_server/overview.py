"""What is known about each service of the stack: where it is, what portsup says, and whether it answers."""

import asyncio
import time
from typing import Any

import httpx2

from examples.api_server.portsup import Portsup, Unavailable
from examples.peers import Peer, Peers

PATIENCE = 2.0  # seconds that a probe of one service may take


class Overview:
    """Asks when it is asked: nothing is kept, so nothing is out of date."""

    def __init__(self, name: str, peers: Peers, portsup: Portsup, client: httpx2.AsyncClient) -> None:
        self._name = name
        self._peers = peers
        self._portsup = portsup
        self._client = client

    async def services(self, only: str | None = None) -> list[dict[str, Any]]:
        """Every service, or one of them, with its health as it is now."""
        rows, source = await self._rows()
        known = {name: peer for name, peer in self._peers.all().items() if only in (None, name)}
        names = sorted(known.keys() | {name for name in rows if only in (None, name)})
        probes = await asyncio.gather(*(self._probe(name, known.get(name)) for name in names))
        return [
            _service(name, known.get(name), rows.get(name, {}), probe, source)
            for name, probe in zip(names, probes, strict=True)
        ]

    async def ports(self) -> tuple[str, list[dict[str, Any]]]:
        """Who tells it (`portsup` or `endpoints`), and the pool of every service."""
        rows, source = await self._rows()
        if rows:
            return source, [
                {"name": name, "port": row.get("port"), "pool": [_port(entry) for entry in row.get("pool") or ()]}
                for name, row in rows.items()
            ]
        return source, [
            {
                "name": peer.name,
                "port": peer.port,
                "pool": [
                    {"port": port, "state": "active" if port == peer.port else "spare", "holder": None}
                    for port in peer.pool or (peer.port,)
                ],
            }
            for peer in self._peers.all().values()
        ]

    async def _rows(self) -> tuple[dict[str, dict[str, Any]], str]:
        try:
            rows = await self._portsup.status()
        except Unavailable:
            return {}, "endpoints"
        return {str(row.get("name")): row for row in rows}, "portsup"

    async def _probe(self, name: str, peer: Peer | None) -> dict[str, Any]:
        """The word `ok`, `degraded` or `down`, and what the service says of itself."""
        if name == self._name:
            return {"health": "ok", "checks": {}, "reason": "", "ms": 0.0}
        if peer is None:
            return _down("it has no address")
        started = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                response = await self._client.get(f"{peer.url}/health", headers=self._peers.headers(name))
            report = response.json()
            if response.status_code != 200 or not isinstance(report, dict):
                return _down(f"it answers {response.status_code}")
            word = "ok" if report.get("status") == "ok" else "degraded"
            checks = report.get("checks") if isinstance(report.get("checks"), dict) else {}
            return {"health": word, "checks": checks, "reason": "", "ms": _since(started)}
        except (TimeoutError, httpx2.TimeoutException):
            return _down("it does not answer in time")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return _down(f"it cannot be reached: {str(error) or type(error).__name__}")
        except ValueError:
            return _down("what listens there is not one of our services")


def _port(entry: dict[str, Any]) -> dict[str, Any]:
    return {"port": entry["port"], "state": entry["state"], "holder": entry.get("holder") or None}


def _service(name: str, peer: Peer | None, row: dict[str, Any], probe: dict[str, Any], source: str) -> dict[str, Any]:
    pool = [entry.get("port") for entry in row.get("pool") or () if isinstance(entry, dict)]
    return {
        "name": name,
        "url": peer.url if peer else row.get("url"),
        "port": peer.port if peer else row.get("port"),
        "pool": pool or list(peer.pool if peer else ()),
        "state": row.get("state"),
        "pid": row.get("pid"),
        "restarts": row.get("restarts"),
        "source": source,
        **probe,
    }


def _down(reason: str) -> dict[str, Any]:
    return {"health": "down", "checks": {}, "reason": reason, "ms": None}


def _since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)
