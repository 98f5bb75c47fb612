"""What portsup itself is doing, for the account of its stalls."""

LOOKING_WHO_LISTENS = "looking who listens"
REAPING = "collecting processes that ended"
LOOKING_AROUND = "looking at locks, spare ports and listeners"
LOOKING_AT_LOCKS = "looking at locks that were touched"
TAKING_PORTS = "taking the ports"
STARTING = "starting the process"
STOPPING = "stopping the processes"
KILLING = "killing the processes"
STARTING_HOOK = "starting a hook"
ENDING_HOOK = "ending a hook"
TAKING_OUTPUT = "taking the output"
HEARING_NOTICES = "hearing the notices"
ANSWERING_BINDS = "answering binds"
SOMETHING = "other work"


def answering(request: str) -> str:
    """A request of the control socket."""
    return f"answering `{request}`"


def for_service(doing: str, service: str) -> str:
    """The same, and for which service, if it is for one."""
    return f"{doing} of `{service}`" if service else doing
