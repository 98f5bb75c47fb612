"""`portsup top`: the stack in a terminal, live.  A client of `api/`; needs the extra `top` (textual)."""
