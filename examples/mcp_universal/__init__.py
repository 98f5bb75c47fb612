"""MCP Universal: tools for AI clients that work on one folder, its files and programs that may do no harm."""
