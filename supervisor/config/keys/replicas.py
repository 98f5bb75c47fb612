"""How many processes a service has."""

from supervisor.config.kinds import Key, Whole
from supervisor.core.replicas import MOST

KEYS = (
    Key(
        "replicas",
        Whole(1, MOST),
        "How many processes of the program run side by side, on the same port.",
        "1",
        also=("scale", "instances", "numprocs", "numprocesses", "concurrency", "copies"),
        is_live=True,
    ),
    Key(
        "min_ready",
        Whole(1, MOST),
        "How many of the `replicas` must be ready for the service to count as ready.",
        unset="all",
        is_live=True,
    ),
)
