"""Serves a program that speaks MCP on its standard input and output over streamable HTTP, for any number of clients.

`python -m supervisor.mcp.bridge SHARE MAX VARIABLE -- COMMAND` is the process of a service with `stdio`.  `program`
runs one program and asks it, `shared` has one answer all clients, `sessions` gives each session one of its own.
"""
