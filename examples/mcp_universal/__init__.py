"""MCP Universal: file tools for AI clients, confined to one folder."""
