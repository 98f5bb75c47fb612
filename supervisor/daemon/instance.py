"""What stays so for the whole life of an instance."""

import asyncio
from pathlib import Path

from supervisor.dataclass import dataclass
from supervisor.logs.journal import Journal
from supervisor.ports.record import Owner
from supervisor.ports.runtime import RuntimeDir
from supervisor.process.tree import RUN_ID
from supervisor.system import Identity


@dataclass(frozen=True, slots=True)
class Instance:
    """One running copy of a stack: who it is, where its files are, and the loop that it lives in."""

    stack: str
    number: int
    run_id: str
    identity: Identity  # of the daemon
    runtime: RuntimeDir
    state_dir: Path
    journal: Journal
    loop: asyncio.AbstractEventLoop

    def owner(self, service: str) -> Owner:
        """Who has the locks of a service, for their records."""
        return Owner(self.stack, self.number, service, self.run_id, self.identity)

    def facts(self) -> dict[str, str]:
        """The variables that every process of the instance gets."""
        return {
            "PORTSUP_STACK": self.stack,
            "PORTSUP_INSTANCE": str(self.number),
            RUN_ID: self.run_id,
            "PORTSUP_ENDPOINTS": self.runtime.endpoints(self.stack, self.number),
            "PORTSUP_SOCKET": self.runtime.socket(self.stack, self.number),
        }
