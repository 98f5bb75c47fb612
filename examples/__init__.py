"""The services of the shipped stack (`services.yaml`), and smaller examples for one purpose each.

`service.py`, `web.py`, `peers.py`, `forward.py` and `mcp_endpoint.py` hold what the six have in common; each service
is a folder with a `__main__.py`, started with `python -m examples.NAME`.
"""

__version__ = "0.1.0"
