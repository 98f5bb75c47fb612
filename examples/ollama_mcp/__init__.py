"""Ollama MCP: the Ollama and OpenAI APIs of a real Ollama, and the same as MCP tools."""
