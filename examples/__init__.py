"""The services of the shipped stack (`services.yaml`), and smaller examples for one purpose each.

What the six have in common is a file for each concern, so that a service takes what it needs:
`service.py` starts, listens and stops; `connection.py` has HTTP and its limits; `gate.py` decides who may ask;
`web.py` has the shape of errors and health; `trace.py` gives requests an id and logs them; `peers.py` finds the other
services; `client.py` and `forward.py` talk to them; `mcp_endpoint.py` is `/mcp`, with `mcp_sessions.py` for older
clients and `mcp_words.py` for errors. Each service is a folder with a `__main__.py`, for `python -m examples.NAME`.
`cluster` runs them on several machines.
"""

__version__ = "0.1.0"
