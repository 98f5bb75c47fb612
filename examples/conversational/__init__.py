"""Conversational: a spoken or written conversation over a WebSocket; written only, so far."""
