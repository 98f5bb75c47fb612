"""A picture of a stack that is kept up to date by what a subscription tells.  Pure."""

from supervisor.api.values import ServiceStatus, Update


class Picture:
    """What is known of a stack: `services` by name, `warnings`, and up to which change of which run that is."""

    def __init__(self) -> None:
        self.run = ""
        self.seq = 0
        self.services: dict[str, ServiceStatus] = {}
        self.warnings: tuple[str, ...] = ()

    def apply(self, update: Update) -> None:
        """Lays one line of `subscribe` into it."""
        if update.status is not None:
            self.services = {each.name: each for each in update.status.services}
            self.warnings = update.status.warnings
        for row in update.changed or ():
            self.services[row.name] = row
        for name in update.removed or ():
            self.services.pop(name, None)
        self.run, self.seq = update.run, update.seq
