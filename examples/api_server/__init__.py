"""API Server: one address for the whole stack: its services, their ports and health, and a gateway to them."""
