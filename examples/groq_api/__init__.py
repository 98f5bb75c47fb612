"""Groq API: a pass-through to Groq that takes turns with several keys."""
