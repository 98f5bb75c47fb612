"""A picture of a stack that is kept up to date by what a subscription tells.  Pure."""

from supervisor.api.values import ServiceStatus, Update


class Picture:
    """What is known of a stack: `services` by name, `warnings`, and up to which change of which run that is.

    `services` is another object after each change of it, so that one thread may go through it while another applies.
    """

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
        if update.changed or update.removed:
            services = {**self.services, **{row.name: row for row in update.changed or ()}}
            for name in update.removed or ():
                services.pop(name, None)
            self.services = services
        self.run, self.seq = update.run, update.seq
