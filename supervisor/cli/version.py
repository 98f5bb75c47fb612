"""Which portsup this is."""


def version() -> str:
    """The installed version, or `unknown` when portsup runs from a bare checkout."""
    from importlib import metadata

    try:
        return metadata.version("portsup")
    except metadata.PackageNotFoundError:
        return "unknown"
