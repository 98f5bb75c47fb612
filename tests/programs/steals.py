"""Tries in a tight loop to bind each port of its arguments, in every way, and keeps what it gets; prints each win.

Prints `ready` first; ends when its stdin does, and then prints how often it tried.
"""

import os
import select
import socket
import sys

WAYS = [
    (socket.AF_INET, "127.0.0.1", ()),
    (socket.AF_INET, "0.0.0.0", (socket.SO_REUSEADDR,)),
    (socket.AF_INET, "127.0.0.7", (socket.SO_REUSEADDR, socket.SO_REUSEPORT)),
    (socket.AF_INET6, "::1", (socket.SO_REUSEPORT,)),
    (socket.AF_INET6, "::", ()),
]
ports = [int(word) for word in sys.argv[1:]]
won: list[socket.socket] = []
tries = 0
os.write(1, b"ready\n")
while not select.select([0], [], [], 0)[0]:
    for _ in range(20):
        for port in ports:
            for family, address, options in WAYS:
                thief = socket.socket(family, socket.SOCK_STREAM)
                tries += 1
                try:
                    for option in options:
                        thief.setsockopt(socket.SOL_SOCKET, option, 1)
                    thief.bind((address, port))
                    thief.listen()
                except OSError:
                    thief.close()
                    continue
                won.append(thief)
                os.write(1, b"won %d on %s\n" % (port, address.encode()))
os.write(1, b"tries %d\n" % tries)
