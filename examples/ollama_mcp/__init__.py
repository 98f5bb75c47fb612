"""Ollama MCP: the APIs of Ollama and OpenAI and MCP tools, over a real Ollama or a small model of its own.

`backends.py` decides who answers: `real.py`, an Ollama elsewhere, wherever there is one, else `embedded.py`, which runs
a model in this process. Both understand requests in Ollama's words; `dialect.py` has what these are in the words of the
embedded model. `faces.py` is the HTTP API of the embedded model, `tools.py` is `/mcp` over either.
"""
