"""Sandra IA: answers through whichever model fits and works, on Groq or on this machine."""
