"""Names for services: a proxy for all stacks of a user, which is Caddy, and a process that tells it what it asks."""
