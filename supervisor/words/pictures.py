"""What the pictures of a stack say: which service needs which, and how long its last start took."""

# The parts of the start of a service.
PHASES = {
    "port": "looks for a port", "waited": "waits for its turn", "spawn": "is started", "listening": "starts to listen",
    "ready": "becomes ready",
}  # fmt: skip
CRITICAL = "◆ is in the critical chain: it kept the start to the end."
COLUMNS = ("Service", "When", "Ready at", "After")
NOT_THERE = "not there"
NO_TIMES = "no times are known"


def needs(stack: str) -> str:
    """The title of the graph."""
    return f"Which service of {stack} needs which"


def last_start(stack: str) -> str:
    """The title of the bars."""
    return f"The last start of {stack}"


def phase(name: str, seconds: float) -> str:
    """How long a part of the start took."""
    return f"{PHASES[name]}: {seconds:.3f} s"


def runs_at(schedule: str) -> str:
    """When a job runs by the clock."""
    return f"at {schedule}"


def talks(share: object) -> str:
    """How a service on its standard streams is shared."""
    return f"stdio {share}"


def watches(paths: str) -> str:
    """Which files a service follows."""
    return f"watch {paths}"
