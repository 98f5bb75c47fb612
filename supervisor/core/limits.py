"""Limits of what the processes of a service may use, setrlimit(2)."""

UNLIMITED = -1  # as the value of a limit: as much as portsup itself may have
