"""A stack on several machines.  Ray places, watches and moves; portsup does on each machine what it does on one.

- `plan.py` makes of a services.yaml what travels: one part a service.
- `engine.py` is the only file that knows Ray: it connects, and makes actors of the three classes below.
- `registry.py`, one for a stack: who has which service in which epoch, and how that is.
- `keeper.py`, one for a service: waits until it may run it, and runs it by `local.py` on its node.
- `agent.py`, one for a node: files that tell where the services are, logs, and whether something still runs there.
- `warden.py` is the process between a keeper and its `portsup up`: it ends that when the keeper, the node's raylet, or
  the lease is gone, by its own clock.
- `face.py` is what commands ask.
"""
