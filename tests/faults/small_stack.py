"""The stack that is tried: three services that cost nothing, and have most of what portsup does for one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults.patience import Limit
from tests.live.stack import Live

PORTS = 9  # that it and what is run beside it needs
OVER = 20.0  # seconds for all of it to end


class SmallStack(Live):
    """`web` has its port handed over, `api` takes it by itself and needs `web`, `job` has no port and a hook."""

    def __init__(self, folder: Path, server: Path, ports: Sequence[int]) -> None:
        super().__init__(folder / "p", {})
        self.runtime, self.state = folder / "r", folder / "s"
        self.server = server
        self.env.update(
            PORTSUP_RUNTIME_DIR=str(self.runtime), PORTSUP_STATE_DIR=str(self.state), HOME=str(folder),
            PYTHONDONTWRITEBYTECODE="1",
        )  # fmt: skip
        self.env.pop("PORTSUP_HANG_TIMEOUT", None)
        self._ports = ports
        (self.folder / "job.env").write_text("OF_A_FILE=1\n")
        (self.folder / "page.in").write_text("web is at {url:web}\n")
        self.configure(0)

    def configure(self, variant: int) -> None:
        """Writes services.yaml; another variant is another `web`, and a service more."""
        lasting = {"restart": "always", "restart_policy": {"delay": "10ms", "max_delay": "100ms", "max_restarts": 1000}}
        server = [str(self.server)]
        web = {"command": server, "pool": list(self._ports[:3]), "environment": {"VARIANT": variant}, **lasting}
        api = {"command": server, "pool": list(self._ports[3:6]), "depends_on": ["web"], "handoff": "off", **lasting}
        job = {
            "command": ["sh", "-c", "echo begun; exec sleep 1000"], "ready": {"log": "begun"}, "env_file": "job.env",
            "hooks": {"pre_start": ["true"]}, "notify_socket": "path", **lasting,
        }  # fmt: skip
        services: dict[str, Any] = {"web": web, "api": api, "job": job}
        if variant:
            services["more"] = {"command": ["sleep", "1000"], **lasting}
        self.write(services, render=[{"template": "page.in", "to": "page.txt"}])

    def first_ports(self) -> dict[str, int]:
        """Where the services are when nothing is in their way."""
        return {"web": self._ports[0], "api": self._ports[3]}

    def active_ports(self) -> dict[str, int]:
        """Where they are."""
        return {name: row["port"] for name, row in self.rows().items() if row["port"]}

    def down(self) -> None:
        """Ends it as a user would."""
        *_, last = self.client().stream("down")
        assert last["ok"], last
        over = Limit(f"={self.runtime}", OVER).eventually(lambda: not self.infos())
        assert over, f"the stack has not ended within {OVER:g} s"
