"""What portsup says of the files that it writes for the services."""

LOG_GOES_ON = "it goes on once that works again; what is lost is counted"


def tried_again(is_in_the_way: bool) -> str:
    """What to do about an endpoints file that cannot be written: something stands in its place, or there is no room."""
    return f"{'remove what is there' if is_in_the_way else 'make room there'}: portsup tries again every 10 s"


def not_written(path: str, why: str, hint: str) -> str:
    """That a file is not written, and what to do."""
    return f"cannot write `{path}`: {why}; {hint}"
